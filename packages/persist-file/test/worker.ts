import { AsyncCache, type CacheError } from '@acache/core';
import { filePersistence } from '../src/file-persistence.js';
import type { FilePersistenceOptions } from '../src/options.js';

/*
 * A process with a cache in a file, which does what its parent asks and answers with what came of it.
 */

const errors: unknown[] = [];
let cache: AsyncCache<string, unknown> | undefined;

/** What a worker can be asked. */
export const tasks = {
  /** Makes the cache; does not wait until it is ready. */
  open(path: string, options: FilePersistenceOptions = {}): void {
    const persistence = filePersistence(path, {
      ...options,
      onError: (error) => errors.push(told(error)),
    });
    cache = new AsyncCache({ persistence, maxSize: null });
  },
  ready: () => opened().ready,
  set: (key: string, value: unknown) => opened().set(key, value),
  delete: (key: string) => opened().delete(key),
  clear: () => opened().clear(),
  get: (key: string) => opened().get(key),
  flush: () => opened().flush(),
  close: () => opened().close(),
  errors: () => errors,
  /** Becomes somebody who has few rights. */
  become(uid: number): void {
    process.setgroups?.([]);
    process.setgid?.(uid);
    process.setuid?.(uid);
  },
  /** Sets `n0`, `n1`, … to the time of the set, some every few milliseconds, and answers at once. */
  setForEver(): void {
    let number = 0;
    setInterval(() => {
      for (let at = 0; at < 5; at++) void opened().set(`n${number++}`, Date.now());
    }, 4);
  },
  /** From here on there is nothing to do, and nobody who asks. */
  leaveAlone(): void {
    setImmediate(() => {
      process.disconnect();
    });
  },
};

export type Tasks = typeof tasks;

/** An error as it crosses to the parent. */
export interface ToldError {
  readonly name: string;
  readonly code: unknown;
  readonly message: string;
  readonly pid: unknown;
  readonly cause: unknown;
}

function told(error: unknown): ToldError {
  const { name, message, code, cause, pid } = error as CacheError & { code: string; pid?: number };
  return { name, message, code, pid, cause: (cause as { code?: string } | undefined)?.code };
}

function opened(): AsyncCache<string, unknown> {
  if (cache === undefined) throw new Error('it is not open');
  return cache;
}

process.on('message', ({ id, task, args }: { id: number; task: keyof Tasks; args: unknown[] }) => {
  const answer = (message: object): void => {
    if (process.connected) process.send?.({ id, ...message });
  };
  new Promise((resolve) => {
    resolve((tasks[task] as (...args: unknown[]) => unknown)(...args));
  }).then(
    (value) => {
      answer({ value });
    },
    (error: unknown) => {
      answer({ error: told(error) });
    },
  );
});
