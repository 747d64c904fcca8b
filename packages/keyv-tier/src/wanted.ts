import { randomBytes } from 'node:crypto';
import type { Entry } from '@acache/core';
import type { Stamps } from './envelope.js';

/** What a key of the store is to hold. */
export type Wanted =
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'value';
      readonly key: string;
      readonly entry: Entry;
      /** The bytes of the value, in base64. */
      readonly payload: string;
      /** What it goes by; `undefined` for what is there when it is written. */
      readonly stamps: Stamps | undefined;
    }
  | { readonly kind: 'expired'; readonly key: string; readonly at: number }
  | {
      readonly kind: 'stamp';
      readonly of: string;
      readonly stamp: string;
      /** The stamp that must be there before. */
      readonly after?: string;
      /** Made where none was, and not to end anything. */
      readonly isFirst?: boolean;
    };

export const GONE: Wanted = { kind: 'gone' };

/** What is wanted when a write has failed: better nothing than the old value. */
export function afterFailure(wanted: Wanted): Wanted | undefined {
  if (wanted.kind !== 'stamp') return GONE;
  // A stamp must get there: nothing else ends what it ends. Not the same again, since what goes by it
  // may have been ended by another process by then.
  return wanted.isFirst === true ? undefined : { ...wanted, stamp: newStamp() };
}

/** A stamp that never was before. */
export function newStamp(): string {
  return randomBytes(12).toString('base64url');
}

/** An entry whose freshness has ended, unless it had ended before. */
export function expired<E extends { readonly freshUntil: number }>(entry: E, at: number): E {
  return entry.freshUntil <= at ? entry : { ...entry, freshUntil: at };
}
