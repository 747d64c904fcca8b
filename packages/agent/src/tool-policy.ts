import type { EntryOptions } from '@acache/core';

/** What a tool does: it reads, it changes something, or nobody said. */
export type ToolEffect = 'read' | 'mutate' | 'unknown';

/** How the calls of one tool are cached, what they touch, and how they are watched. */
export interface ToolPolicy extends EntryOptions {
  /**
   * Names the tool in keys, errors and metrics. It is the tool's identity in the cache: two tools of one
   * name are one.
   * @defaultValue the function's; required for an anonymous one
   */
  name?: string;
  /**
   * What the tool reads or changes, as paths: `'cart'`, `'cart:{userId}'` (a property of the first
   * argument), `'cart:{0}'` (an argument). A mutation makes those reads invalid whose path is a parent or
   * a child of its own, or the same. A `:` inside an id is escaped; a placeholder without a value
   * widens the path to its parent. A function returns paths that are as they are, without placeholders.
   * @defaultValue nothing: a read that no mutation concerns, a mutation that concerns no read
   */
  resource?: string | readonly string[] | ((...args: any[]) => string | readonly string[]);
  /**
   * Whose answers these are: `'session'` keeps those of each session apart and drops them at its end;
   * `'global'` shares them. A global mutation concerns every session.
   * @defaultValue `'session'`
   */
  scope?: 'session' | 'global';
  /**
   * How the tool is watched. `false` and `poll`: its calls are never a repeat, a cycle or no progress, but
   * are still counted in depth. `maxRepeats` stands for the session's `maxToolRepeats`.
   */
  loop?: false | { poll?: boolean; maxRepeats?: number };
  /** A part of the key: change it when what the tool returns changes its form. */
  version?: string | number;
  /** What the tool does, where one policy per tool is given; `read` and `mutate` of a runtime say it themselves. */
  effect?: ToolEffect;
  /** What a call is cached and watched by, instead of its arguments. */
  key?: (...args: any[]) => unknown;
  /**
   * What else an answer depends on, such as a tenant or a folder; a part of the key. It is called as the
   * tool is, `this` included; in an adapter it is given, after the arguments, what the SDK hands the tool.
   * For a method it stands for the instance: those that vary alike share their answers.
   */
  vary?: (this: any, ...args: any[]) => unknown;
  /** Whether a result is stored. It is returned all the same. */
  shouldCache?: (result: any, ...args: any[]) => boolean;
  /** Whether a result is a failure in the form of a value: it counts as one and is not stored. */
  isError?: (result: any) => boolean;
  /**
   * How answers are copied when they are stored and for each caller, so that nobody sees what another
   * changes in place. `false`: callers share one reference.
   * @defaultValue plain objects, arrays, maps, sets, dates and binary data are copied; anything else is shared
   */
  clone?: false | ((value: any) => any);
  /**
   * Whether the tool returns an async iterable, whose last item is its answer: what is yielded before is
   * preliminary. An answer from the cache is yielded alone.
   * @defaultValue true for an async generator function
   */
  stream?: boolean;
}
