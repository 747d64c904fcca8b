import { propertyStep } from '../unkeyable.js';

/** A value that holds others, and how far these are written. */
interface OpenValue {
  children: ArrayLike<unknown>;
  /** How many children were announced; what is read of them may change the array. */
  count: number;
  /** How many were begun. */
  at: number;
  step: Step;
  keys: readonly string[];
  /** The custom value that the only child stands for, and its number. */
  custom: object | undefined;
  reference: number;
}

/** The step of a path to a child: `.name`, `[0]`. */
type Step = (index: number, keys: readonly string[]) => string;

export const steps = {
  property: (index, keys) => propertyStep(keys[index] as string),
  element: (index) => `[${index}]`,
  entry: (index) => `[${index % 2 === 0 ? 'key' : 'value'} ${Math.floor(index / 2)}]`,
  member: (index) => `[value ${index}]`,
} satisfies Record<string, Step>;

/** So many frames are kept for the next value. */
const KEPT_FRAMES = 64;
const none: readonly never[] = [];

/** The values that are being written, each in the one before it. */
export class OpenValues {
  #frames: OpenValue[] = [];
  #depth = 0;

  get depth(): number {
    return this.#depth;
  }

  get innermost(): OpenValue {
    return this.#frames[this.#depth - 1] as OpenValue;
  }

  push(
    children: ArrayLike<unknown>,
    count: number,
    step: Step,
    keys: readonly string[] = none,
  ): void {
    const frame = this.#frames[this.#depth++];
    if (frame) {
      frame.children = children;
      frame.count = count;
      frame.at = 0;
      frame.step = step;
      frame.keys = keys;
    } else {
      const opened = { children, count, at: 0, step, keys, custom: undefined, reference: 0 };
      this.#frames.push(opened);
    }
  }

  pop(): void {
    const frame = this.innermost;
    // Frames are used again, and must not keep values in memory.
    frame.children = none;
    frame.keys = none;
    frame.custom = undefined;
    this.#depth--;
  }

  /** The steps from the outermost value to the one that is being written. */
  path(): string[] {
    const open = this.#frames.slice(0, this.#depth);
    return open
      .filter(({ at }) => at > 0)
      .map(({ step, at, keys, custom }) => (custom ? '.encode()' : step(at - 1, keys)));
  }

  clear(): void {
    while (this.#depth > 0) this.pop();
    if (this.#frames.length > KEPT_FRAMES) this.#frames.length = KEPT_FRAMES;
  }
}
