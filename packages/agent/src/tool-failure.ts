/** Known by a symbol of the platform, so that the ESM and the CJS copy of this package share it. */
const FAILURE = Symbol.for('@acache/agent: failure of a tool');

/**
 * What a load throws into the cache when its tool failed, so that this can be told from a failure of the
 * cache. It never reaches a caller: `cause` does.
 */
export class ToolFailure extends Error {
  readonly [FAILURE] = true;

  constructor(cause: unknown) {
    super('the tool failed', { cause });
    this.name = 'ToolFailure';
  }
}

export function isToolFailure(error: unknown): error is { readonly cause: unknown } {
  return typeof error === 'object' && error !== null && FAILURE in error;
}
