import type { AnyFunction } from '../any-function.js';

const ERRORS = Symbol.for('@acache/agent: errors of tools of @openai/agents');

/** By the details of the call; shared by the copies of this package. */
function errorsByCall(): WeakMap<object, unknown> {
  const home = globalThis as { [ERRORS]?: WeakMap<object, unknown> };
  return (home[ERRORS] ??= new WeakMap());
}

/**
 * The SDK's `tool()`, for tools of which `wrapTools` sees that they fail. The SDK makes a text of an error
 * before anybody else sees it; its default text is known, but not what an `errorFunction` of your own
 * answers.
 *
 * ```ts
 * const search = visibleErrors(tool)({ name: 'search', errorFunction: explain, execute: find, … });
 * ```
 */
export function visibleErrors<F extends AnyFunction>(tool: F): F {
  const create = (options: { execute: AnyFunction }): unknown => {
    const { execute } = options;
    const watched = async (...given: unknown[]): Promise<unknown> => {
      try {
        return (await execute.apply(options, given)) as unknown;
      } catch (error) {
        const details = given[2];
        if (typeof details === 'object' && details !== null) errorsByCall().set(details, error);
        throw error;
      }
    };
    return tool({ ...options, execute: watched }) as unknown;
  };
  return create as F;
}

/** Whether the tool has failed in the call of these details. */
export function hasFailed(details: object): boolean {
  return errorsByCall().has(details);
}
