import { createHash } from 'node:crypto';

/** All but these is escaped: stores put keys into columns, protocols and file names. */
const SPECIAL = /[^A-Za-z0-9_.~-]/g;
/** Longer ones are hashed: Memcached takes 250 bytes, columns of keys are 255 wide. */
const LONGEST_NAME = 48;
const LONGEST_PART = 80;

/**
 * Under which keys things lie in the store. With `p` for the prefix, `n` for a cache's name, all escaped:
 *
 * - `p:v:n:key` the value of a key
 * - `p:t:n:tag` the stamp of a tag
 * - `p:a:n:` the stamp of the whole namespace
 * - `p:i:n:` the stamp that every invalidation of a tag changes
 *
 * What is escaped has no colon, so that the last three parts are always these. A hash may stand for
 * what is long; what lies there says in full whose it is.
 */
export class NamespaceKeys {
  readonly all: string;
  readonly any: string;
  readonly #values: string;
  readonly #tags: string;

  constructor(prefix: string, name: string) {
    const own = part(name, LONGEST_NAME);
    this.all = `${prefix}:a:${own}:`;
    this.any = `${prefix}:i:${own}:`;
    this.#values = `${prefix}:v:${own}:`;
    this.#tags = `${prefix}:t:${own}:`;
  }

  value(key: string): string {
    return this.#values + part(key, LONGEST_PART);
  }

  tag(tag: string): string {
    return this.#tags + part(tag, LONGEST_PART);
  }
}

function part(text: string, longest: number): string {
  const escaped = text.replace(SPECIAL, escapeOne);
  if (escaped.length <= longest) return escaped;
  // The `+` is escaped everywhere else, so that no short text can be the hash of a long one.
  return `+${createHash('sha256').update(escaped).digest('hex').slice(0, 40)}`;
}

function escapeOne(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
