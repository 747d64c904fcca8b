import { describeValue, InvalidOptionError } from '@acache/core';

/**
 * What a tool reads or changes, as the segments of a path, without escapes: `['cart', '7']`. The empty
 * path is everything.
 */
export type ResourcePath = readonly string[];

/** A path with placeholders, taken apart. */
export interface ResourceTemplate {
  readonly text: string;
  /** Of each segment, its texts and placeholders in turn: `['item-', 'id', '']`. */
  readonly segments: readonly (readonly string[])[];
}

/** A path, and whether a placeholder had no value, so that the path ends before it. */
export interface FilledPath {
  readonly path: ResourcePath;
  readonly widened: boolean;
}

/**
 * The path that a text says: segments between colons, where `%3A` stands for a colon within one. It ends
 * at an empty segment, since what is there was not said.
 */
export function parsePath(text: string): ResourcePath {
  const segments = text.split(':').map(unescaped);
  const end = segments.indexOf('');
  return end === -1 ? segments : segments.slice(0, end);
}

/** The text of a path, which `parsePath` understands: `cart:7`. */
export function pathText(path: ResourcePath): string {
  return path.map(escaped).join(':');
}

/**
 * Takes a path with placeholders apart.
 *
 * @throws InvalidOptionError for braces that are no placeholder, and for an empty path
 */
export function parseTemplate(text: unknown): ResourceTemplate {
  if (typeof text !== 'string' || text === '') {
    throw new InvalidOptionError(
      `resource must be a path such as 'cart:{userId}', got ${describeValue(text)}`,
    );
  }
  const segments = text.split(':').map((segment) => segment.split(/[{}]/));
  const isWhole = text.split(':').every((segment) => /^([^{}]*\{[^{}]+\})*[^{}]*$/.test(segment));
  if (isWhole && segments.every(([first, ...more]) => first !== '' || more.length > 0)) {
    return { text, segments };
  }
  throw new InvalidOptionError(
    `resource must be a path such as 'cart:{userId}' or 'cart:{0}', got ${describeValue(text)}`,
  );
}

/** The path of one call. It ends before a placeholder without a value: what is broader is safe. */
export function fillTemplate(template: ResourceTemplate, args: readonly unknown[]): FilledPath {
  const path: string[] = [];
  for (const parts of template.segments) {
    let segment = '';
    for (const [at, part] of parts.entries()) {
      const text = at % 2 === 0 ? unescaped(part) : valueOf(part, args);
      if (text === undefined) return { path, widened: true };
      segment += text;
    }
    path.push(segment);
  }
  return { path, widened: false };
}

/** Whether one is a part of the other: exactly then a change of the one concerns the other. */
export function conflict(one: ResourcePath, other: ResourcePath): boolean {
  const shared = Math.min(one.length, other.length);
  for (let at = 0; at < shared; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** What a placeholder stands for: `{0}` an argument, `{id}` a property of the first one. */
function valueOf(name: string, args: readonly unknown[]): string | undefined {
  if (/^\d+$/.test(name)) return textOf(args[Number(name)]);
  const [first] = args;
  if (typeof first !== 'object' || first === null) return undefined;
  try {
    return textOf((first as Record<string, unknown>)[name]);
  } catch {
    // A getter that throws has no value.
    return undefined;
  }
}

/** Numbers and texts that look alike are one id: a model writes now `7` and now `"7"`. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : String(value);
  return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : undefined;
}

function escaped(segment: string): string {
  if (!/[%:{}]/.test(segment)) return segment;
  // Braces as well, since they mean something where a path is written down.
  return segment.replace(/[%:{}]/g, (char) => encodeURIComponent(char));
}

/** Whoever makes a path by `encodeURIComponent(id)` names the same as a placeholder does. */
function unescaped(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
