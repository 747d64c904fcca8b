/** One case of a contract suite, for any test runner: `for (const { name, run } of cases) it(name, run)`. */
export interface ContractCase {
  readonly name: string;
  /** Rejects with what was expected and what came. */
  readonly run: () => Promise<void>;
}

/** Fails a case unless the two are the same; compared by their text where they are objects. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const got = show(actual);
  const wanted = show(expected);
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part === undefined ? 'undefined' : part === Infinity ? 'Infinity' : part,
  );
}
