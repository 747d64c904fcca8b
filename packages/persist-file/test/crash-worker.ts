import { createHash, randomInt } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import type { Entry } from '@acache/core';
import { FilePersistence } from '../src/file-persistence.js';
import { resolveOptions } from '../src/options.js';

/*
 * Changes a file at random until it is killed. What it is about to do it writes to the intent log first;
 * what a flush has acknowledged, it tells its parent.
 *
 *   node crash-worker.js FILE INTENTS FIRST_NUMBER KEYS
 */

const [file, intents, first, keyCount] = process.argv.slice(2) as [string, string, string, string];
const intentLog = openSync(intents, 'a');
let number = Number(first);

const restored = new Map<string, Entry>();
const errors: string[] = [];
const settings = resolveOptions({
  flushInterval: 20,
  fsyncInterval: 50,
  onError: (error) => errors.push(`${error.name}: ${error.message}`),
});
// So small that a compaction is nearly always under way.
const persistence = new FilePersistence(file, { ...settings, leastToCompact: 200_000 });
const clock = {
  now: () => Date.now(),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
  clearTimeout: (timer: unknown) => {
    clearTimeout(timer as NodeJS.Timeout);
  },
};

function tell(message: object): void {
  process.send?.(message);
}

function change(): void {
  number++;
  const key = `key:${randomInt(Number(keyCount))}`;
  const kind = Math.random();
  if (kind < 0.001) {
    writeSync(intentLog, `${number} clear *\n`);
    persistence.clear();
  } else if (kind < 0.3) {
    writeSync(intentLog, `${number} delete ${key}\n`);
    persistence.delete(key);
  } else {
    writeSync(intentLog, `${number} set ${key}\n`);
    const text = String(number).repeat(1 + randomInt(60));
    const hash = createHash('sha1').update(`${key} ${number} ${text}`).digest('hex');
    persistence.set(key, {
      value: { number, text, hash },
      createdAt: Date.now(),
      freshUntil: Infinity,
      staleWhileRevalidate: 0,
      staleIfError: 0,
      tags: ['t'],
    });
  }
}

async function main(): Promise<void> {
  await persistence.open({
    clock,
    restore: (key, entry) => restored.set(key, entry),
    order: () => restored.keys(),
    fail: () => undefined,
  });
  const state = [...restored].map(([key, { value }]) => {
    const { number: of, text, hash } = value as { number: number; text: string; hash: string };
    const isRight = hash === createHash('sha1').update(`${key} ${of} ${text}`).digest('hex');
    return [key, isRight ? of : -1];
  });
  tell({ kind: 'opened', state, errors });
  for (;;) {
    const upTo = 1 + randomInt(400);
    for (let at = 0; at < upTo; at++) change();
    const last = number;
    if (Math.random() < 0.5) {
      await persistence.flush();
      tell({ kind: 'acknowledged', number: last, errors });
    } else {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

main().catch((error: unknown) => {
  tell({ kind: 'failed', error: String(error) });
  process.exit(1);
});
