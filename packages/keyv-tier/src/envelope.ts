import { createHash } from 'node:crypto';
import type { Entry } from '@acache/core';

/** The state of an entry's tags, and of its whole namespace, that it goes by. */
export interface Stamps {
  readonly all: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** An entry as it lies in the store: its value is still bytes. */
export interface Sealed {
  readonly entry: Omit<Entry, 'value'>;
  readonly stamps: Stamps;
  /** The bytes of the value, in base64. */
  readonly payload: string;
}

/** Why what lies in the store is not read. */
export type Fault = 'not ours' | 'of a newer version' | 'damaged' | 'of another key';

export class UnreadableError extends Error {
  constructor(readonly fault: Fault) {
    super(`what the store holds is ${fault}`);
    this.name = 'UnreadableError';
  }
}

const VERSION = 1;
const MAGIC = /^acache(\d+)\./;
const DIGEST_LENGTH = 22;

/** An entry as text: `acache1.<digest>.<JSON>`, in ASCII, which every store keeps as it is. */
export function sealEntry(name: string, key: string, { entry, stamps, payload }: Sealed): string {
  const { createdAt, freshUntil, staleWhileRevalidate, staleIfError, weight } = entry;
  const until = freshUntil === Infinity ? null : freshUntil;
  const windows = [finite(staleWhileRevalidate), finite(staleIfError)];
  const tags = entry.tags.map((tag) => [tag, stamps.tags.get(tag)]);
  return seal([
    'v',
    name,
    key,
    stamps.all,
    tags,
    createdAt,
    until,
    ...windows,
    weight ?? null,
    payload,
  ]);
}

/** @throws UnreadableError for what is not a whole entry of this key */
export function openEntry(name: string, key: string, text: unknown): Sealed {
  const [kind, ofName, ofKey, all, tagged, createdAt, until, swr, sie, weight, payload] =
    open(text);
  if (kind !== 'v' || ofName !== name || ofKey !== key) throw new UnreadableError('of another key');
  if (typeof all !== 'string' || !isTagged(tagged) || typeof payload !== 'string') {
    throw new UnreadableError('damaged');
  }
  const numbers = [createdAt, until ?? 0, swr ?? 0, sie ?? 0, weight ?? 0];
  if (!numbers.every((number) => typeof number === 'number' && number >= 0)) {
    throw new UnreadableError('damaged');
  }
  const times = {
    createdAt: createdAt as number,
    freshUntil: (until ?? Infinity) as number,
    staleWhileRevalidate: (swr ?? Infinity) as number,
    staleIfError: (sie ?? Infinity) as number,
  };
  return {
    entry: {
      ...times,
      tags: tagged.map(([tag]) => tag),
      ...(weight === null ? {} : { weight: weight as number }),
    },
    stamps: { all, tags: new Map(tagged) },
    payload,
  };
}

/** A stamp as text. `of` is the tag, or what else it belongs to. */
export function sealStamp(name: string, of: string, stamp: string): string {
  return seal(['s', name, of, stamp]);
}

/** @throws UnreadableError for what is not a whole stamp of this */
export function openStamp(name: string, of: string, text: unknown): string {
  const [kind, ofName, what, stamp] = open(text);
  if (kind !== 's' || ofName !== name || what !== of || typeof stamp !== 'string') {
    throw new UnreadableError('of another key');
  }
  return stamp;
}

function seal(parts: readonly unknown[]): string {
  const body = JSON.stringify(parts).replace(/[^ -~]/g, escapeOne);
  return `acache${VERSION}.${digestOf(body)}.${body}`;
}

function open(text: unknown): readonly unknown[] {
  const magic = typeof text === 'string' ? MAGIC.exec(text) : null;
  if (magic === null) throw new UnreadableError('not ours');
  if (Number(magic[1]) > VERSION) throw new UnreadableError('of a newer version');
  if (Number(magic[1]) < VERSION) throw new UnreadableError('not ours');
  const [head] = magic;
  const rest = (text as string).slice(head.length);
  const body = rest.slice(DIGEST_LENGTH + 1);
  if (rest.slice(0, DIGEST_LENGTH + 1) !== `${digestOf(body)}.`)
    throw new UnreadableError('damaged');
  return JSON.parse(body) as readonly unknown[];
}

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, DIGEST_LENGTH);
}

function escapeOne(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function finite(ms: number): number | null {
  return ms === Infinity ? null : ms;
}

function isTagged(given: unknown): given is [string, string][] {
  return (
    Array.isArray(given) &&
    given.every(
      (pair: unknown) =>
        Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'),
    )
  );
}
