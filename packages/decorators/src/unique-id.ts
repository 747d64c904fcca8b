let prefix: string | undefined;
let count = 0;

/** A text that no other process has, so that an instance does not find another one's results in a tier. */
export function uniqueId(): string {
  prefix ??= crypto.randomUUID();
  return `${prefix}:${++count}`;
}
