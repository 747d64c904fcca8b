/** What an error says. Under jest Node's own errors are no `instanceof Error`: they come from another realm. */
export const messageOf = (error: unknown): string =>
  String((error as { message?: unknown } | null)?.message ?? error);
