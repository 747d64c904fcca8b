import { describeValue, InvalidOptionError } from '@acache/core';

/** What every Keyv store can do; a `Map` can too. */
export interface KeyvStoreLike {
  get(key: string): unknown;
  /** `time` is a ttl in milliseconds, or the instant of its end where `capabilities` say so (Keyv 6). */
  set(key: string, value: string, time?: number): unknown;
  delete(key: string): unknown;
  getMany?(keys: string[]): unknown;
  readonly capabilities?: { readonly expires?: boolean };
}

/** A Keyv of version 4, 5 or 6, of which the store is used. */
export interface KeyvLike {
  readonly store?: unknown;
  readonly opts?: unknown;
  getRaw?(...args: never[]): unknown;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  off?(event: 'error', listener: (error: unknown) => void): unknown;
}

type Listener = (error: unknown) => void;

/** The store to use, and all that may tell of its errors. */
export interface GivenStore {
  readonly store: KeyvStoreLike;
  /** Starts to hear of errors that no call rejects with. Returns what ends it. */
  listen(listener: Listener): () => void;
}

/**
 * The store of a Keyv, or the store that was given itself. A Keyv is not gone through: it swallows the
 * errors of its store, so that one that is down looks empty.
 *
 * @throws InvalidOptionError for what is neither
 */
export function givenStore(given: unknown): GivenStore {
  const store = isKeyv(given) ? storeOf(given) : given;
  if (!isStore(store)) {
    throw new InvalidOptionError(
      `keyv must be a Keyv or one of its stores, got ${describeValue(given)}`,
    );
  }
  const emitters = [...new Set<unknown>([given, store])].filter(isEmitter);
  return {
    store,
    listen(listener) {
      for (const emitter of emitters) emitter.on('error', listener);
      return () => {
        for (const emitter of emitters) emitter.off?.('error', listener);
      };
    },
  };
}

function isKeyv(given: unknown): given is KeyvLike {
  if (typeof given !== 'object' || given === null) return false;
  const keyv = given as KeyvLike;
  const isOfVersion4 = isStore((keyv.opts as KeyvLike | undefined)?.store);
  return typeof keyv.getRaw === 'function' || isOfVersion4;
}

function storeOf({ store, opts }: KeyvLike): unknown {
  return store ?? (opts as KeyvLike | undefined)?.store;
}

function isStore(given: unknown): given is KeyvStoreLike {
  if (typeof given !== 'object' || given === null) return false;
  const methods = given as Partial<KeyvStoreLike>;
  return (['get', 'set', 'delete'] as const).every((name) => typeof methods[name] === 'function');
}

interface Emitter {
  on(event: string, listener: Listener): unknown;
  off?(event: string, listener: Listener): unknown;
}

function isEmitter(given: unknown): given is Emitter {
  return typeof (given as Partial<Emitter>).on === 'function';
}
