/** What Node, Bun and Deno have to warn by. */
interface Warner {
  emitWarning?: (message: string, options: { type: string; code: string }) => void;
}

/** Warns of what is likely a mistake in the policies of a tool set. */
export function warn(code: string, message: string): void {
  const { process } = globalThis as { process?: Warner };
  process?.emitWarning?.(`@acache/agent: ${message}`, { type: 'AcacheWarning', code });
}
