import { CacheError } from './errors.js';

/**
 * Says why a value has no key. It is told the way to that value while it is thrown up through what
 * contains it, so that encoding itself need not keep track of where it is.
 */
export class Unkeyable extends Error {
  /** Innermost first. */
  readonly #steps: { readonly owner: object; readonly step: string }[] = [];
  readonly #remedy: string;

  constructor(
    found: string,
    remedy = 'Pass a primitive that stands for it, or define toCacheKey() on its class',
  ) {
    super(found);
    this.#remedy = remedy;
  }

  /** @param step - how the path goes on from `owner`: `.name`, `[0]` */
  within(owner: object, step: string): this {
    this.#steps.push({ owner, step });
    return this;
  }

  /**
   * @param root - what the path starts with: `args[0]`
   * @param subject - whose key it is, where that is known: ` for getUser`
   */
  toCacheError(root: string, subject = ''): CacheError {
    const steps = this.#steps.reverse();
    const path = (length: number) => root + shorten(steps.slice(0, length)).join('');
    let found = `${path(steps.length)} is ${this.message}`;
    // A cycle is noticed some rounds late; told is the first time that something contains itself.
    const owners = steps.map(({ owner }) => owner);
    const again = owners.findIndex((owner, index) => owners.indexOf(owner) < index);
    if (again !== -1) {
      const first = owners.indexOf(owners[again] as object);
      found = `${path(again)} is a cycle: it is ${path(first)} again`;
    }
    return new CacheError(
      'ERR_ACACHE_UNKEYABLE',
      `Cannot make a key${subject}: ${found}. ${this.#remedy}.`,
    );
  }
}

function shorten(path: readonly { readonly step: string }[]): string[] {
  const steps = path.map(({ step }) => step);
  return steps.length > 12 ? [...steps.slice(0, 6), '…', ...steps.slice(-3)] : steps;
}

/** The step to a property: `.name`, `["any text"]`. */
export function propertyStep(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`;
}
