import { nextTurn } from './deferred.js';

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
    await nextTurn();
    await nextTurn();
    expect(unhandled.splice(0)).toEqual([]);
  });
}
