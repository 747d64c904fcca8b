import { BurstRecorder, type CallStatus } from './burst.js';
import type { Item, LoadRecord } from './source.js';

const TTL = 100;

function statusOf(
  call: { number: number; start: number },
  item: Item | undefined,
  ...loads: LoadRecord[]
): CallStatus {
  const recorder = new BurstRecorder('test', 0, TTL);
  for (const load of loads) recorder.noteLoad(load);
  const known = new Map(loads.map((load) => [load.load, load]));
  const times = { order: recorder.begin(), id: 'item 1', end: call.start + 10 };
  return recorder.noteCall({ ...call, ...times }, { item }, known);
}

const load = (number: number, call: number, start: number, end: number, failed = false) => ({
  load: number,
  ids: ['item 1'],
  call,
  start,
  end,
  failed,
});
const item = (number: number): Item => ({ text: '', load: number });

describe('a call of a function that does not say how it was answered', () => {
  it('loaded when the value is of the load that it began', () => {
    expect(statusOf({ number: 1, start: 0 }, item(1), load(1, 1, 0, 50))).toBe('miss');
  });

  it('joined when the value is of a load of another call that ended afterwards', () => {
    expect(statusOf({ number: 2, start: 20 }, item(1), load(1, 1, 0, 50))).toBe('joined');
  });

  it('was a hit when the value was there before', () => {
    expect(statusOf({ number: 2, start: 60 }, item(1), load(1, 1, 0, 50))).toBe('hit');
    expect(statusOf({ number: 2, start: 60 }, item(0))).toBe('hit');
    expect(statusOf({ number: 2, start: 60 }, item(7))).toBe('hit');
  });

  it('was served a stale value when that is older than its ttl', () => {
    expect(statusOf({ number: 2, start: 200 }, item(1), load(1, 1, 0, 50))).toBe('stale');
  });

  it('was served one because its load failed', () => {
    const loads = [load(1, 1, 0, 50), load(2, 2, 200, 205, true)];
    expect(statusOf({ number: 2, start: 200 }, item(1), ...loads)).toBe('error-stale');
  });

  it('failed when there is no value', () => {
    expect(statusOf({ number: 2, start: 0 }, undefined)).toBe('error');
  });
});

describe('BurstRecorder', () => {
  it('has the first calls in the order in which they began, and counts all', () => {
    const recorder = new BurstRecorder('many', 1000, TTL);
    const orders = Array.from({ length: 300 }, () => recorder.begin()).reverse();
    for (const order of orders) {
      recorder.noteCall(
        { order, number: order, id: 'item 1', start: 1000, end: 1050 },
        { item: item(0), status: 'hit' },
        new Map(),
      );
    }
    const { calls, counts, duration, unshown } = recorder.burst();
    expect(calls.map(({ call }) => call)).toEqual(Array.from({ length: 200 }, (_, at) => at + 1));
    expect({ counts, duration, unshown }).toEqual({
      counts: { hit: 300 },
      duration: 50,
      unshown: 100,
    });
  });
});
