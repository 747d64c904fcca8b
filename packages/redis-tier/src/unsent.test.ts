import { deferred, settle } from '../test/deferred.js';
import { Unsent, type ToRemove } from './unsent.js';

function setUp() {
  const sent: ToRemove[] = [];
  const reports: string[] = [];
  const state = { answer: (): Promise<void> => Promise.resolve() };
  const unsent = new Unsent({
    send: (removals) => {
      sent.push(removals);
      return state.answer();
    },
    report: (what) => reports.push(what),
  });
  return { unsent, sent, reports, state };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('Unsent', () => {
  it('sends what was added, once', async () => {
    const { unsent, sent } = setUp();
    unsent.addKeys(['a', 'a', 'b']);
    unsent.addTags(['t']);
    await unsent.send();
    expect(sent).toEqual([{ keys: ['a', 'b'], tags: ['t'], all: false }]);
    expect(unsent.isEmpty).toBe(true);
    await unsent.send();
    expect(sent).toHaveLength(1);
  });

  it('keeps what could not be sent, and tries again by itself', async () => {
    const { unsent, sent, state } = setUp();
    state.answer = () => Promise.reject(new Error('down'));
    unsent.addKeys(['a']);
    await expect(unsent.send()).rejects.toThrow('Redis does not answer: down');
    expect(unsent.size).toBe(1);
    state.answer = () => Promise.resolve();
    await jest.advanceTimersByTimeAsync(300);
    expect(unsent.isEmpty).toBe(true);
    expect(sent).toHaveLength(2);
  });

  it('sends again what was added again while it was sent', async () => {
    const { unsent, sent, state } = setUp();
    const first = deferred<void>();
    state.answer = () => (sent.length === 1 ? first.promise : Promise.resolve());
    unsent.addKeys(['a']);
    const sending = unsent.send();
    await settle();
    unsent.addKeys(['a']);
    first.resolve(undefined);
    await sending;
    expect(sent.map(({ keys }) => keys)).toEqual([['a'], ['a']]);
  });

  it('takes a key out that a write settled, unless it was added after that write', () => {
    const { unsent } = setUp();
    unsent.addKeys(['a', 'b']);
    const upTo = unsent.latest;
    unsent.addKeys(['b']);
    unsent.settled('a', upTo);
    unsent.settled('b', upTo);
    expect(unsent.size).toBe(1);
  });

  it('removes everything where there is too much to remember', async () => {
    const { unsent, sent, reports } = setUp();
    unsent.addKeys(Array.from({ length: 10_001 }, (_, at) => `k${at}`));
    expect(reports).toEqual(['overflow']);
    await unsent.send();
    expect(sent).toEqual([{ keys: [], tags: [], all: true }]);
  });

  it('removes everything again for what was added while that was sent', async () => {
    const { unsent, sent, state } = setUp();
    const first = deferred<void>();
    state.answer = () => (sent.length === 1 ? first.promise : Promise.resolve());
    unsent.addAll();
    const sending = unsent.send();
    await settle();
    unsent.addKeys(['a']);
    first.resolve(undefined);
    await sending;
    expect(sent.map(({ all }) => all)).toEqual([true, true]);
  });

  it('tries no more once it is stopped', async () => {
    const { unsent, sent } = setUp();
    unsent.addKeys(['a']);
    unsent.stop();
    await jest.advanceTimersByTimeAsync(1000);
    expect(sent).toEqual([]);
  });
});
