import { settle } from './deferred.js';

/** Fails each test of a file in which a rejection is left unhandled. */
export function failOnUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const keep = (reason: unknown): void => {
    unhandled.push(reason);
  };
  beforeAll(() => process.on('unhandledRejection', keep));
  afterAll(() => process.off('unhandledRejection', keep));
  afterEach(async () => {
    // Rejections are told at the end of a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled.splice(0)).toEqual([]);
  });
}

/** What a promise came to, without waiting for it. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<unknown> {
  let outcome: unknown = 'pending';
  promise.then(
    (value) => (outcome = value),
    (error: unknown) => (outcome = { error }),
  );
  await settle();
  return outcome;
}
