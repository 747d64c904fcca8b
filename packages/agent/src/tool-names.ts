import { InvalidOptionError } from '@acache/core';

/** Which function has which name in a cache. */
const claims = new WeakMap<object, Map<string, WeakRef<object>>>();

/** Tells tools apart that have one name. */
export class ToolNames {
  readonly #cache: object | undefined;

  /** @param cache - where names must tell functions apart; `undefined` where it is of one runtime alone */
  constructor(cache: object | undefined) {
    this.#cache = cache;
  }

  /** A name that was given to a tool is all its identity. */
  given(fn: object, name: string): void {
    if (this.#cache !== undefined) claimsIn(this.#cache).set(name, new WeakRef(fn));
  }

  /**
   * What tells a tool apart whose name was inferred from its function.
   *
   * In memory of our own each function that is wrapped is a tool by itself, and has a number. A cache that
   * was given may outlive the process and be shared by others, so there the name has to do, and be that
   * of one function.
   *
   * @throws InvalidOptionError when another function has that name there
   */
  inferred(fn: object, name: string): number | undefined {
    if (this.#cache === undefined) return nextNumber();
    const other = claimsIn(this.#cache).get(name)?.deref();
    if (other !== undefined && other !== fn) {
      throw new InvalidOptionError(
        `another tool on the same cache is called '${name}', too: give this one a name, { name: '…' }`,
      );
    }
    this.given(fn, name);
    return undefined;
  }
}

function claimsIn(cache: object): Map<string, WeakRef<object>> {
  const names = claims.get(cache) ?? new Map<string, WeakRef<object>>();
  claims.set(cache, names);
  return names;
}

const NUMBERS = Symbol.for('@acache/agent: number of the last tool');

/** Counted for both copies of this package together, since they share the default runtime. */
function nextNumber(): number {
  const home = globalThis as { [NUMBERS]?: number };
  return (home[NUMBERS] = (home[NUMBERS] ?? 0) + 1);
}
