import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LoopDetector } from './loop-detector.js';
import type { CallOutcome, WatchedCall } from './watched-call.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Calls of all kinds, no two alike, with long arguments, paths and answers; a third of them never settles. */
function fill(detector: LoopDetector, calls: number): void {
  for (let at = 0; at < calls; at++) {
    const id = `${at}`.padEnd(200, 'x');
    const call: WatchedCall = {
      tool: `tool with a name ${at % 1000}`,
      token: at % 100 === 0 ? undefined : `tool(${id})`,
      effect: (['read', 'mutate', 'unknown'] as const)[at % 3] as WatchedCall['effect'],
      resources: [`a long name of a resource:${id}:part`],
      exempt: at % 7 === 0,
    };
    detector.isJoining(call);
    detector.admit(call);
    const status = at % 5 === 0 ? 'failed' : 'fresh';
    if (at % 8 > 2) detector.settle(call, { status, value: { id, text: id } });
  }
}

/** Half of them never settle. */
function refsOfCalls(detector: LoopDetector): WeakRef<object>[] {
  return Array.from({ length: 100 }, (_, at) => {
    const call = read(`${at}`);
    const outcome: CallOutcome = { status: 'fresh', value: { at } };
    detector.admit(call);
    if (at % 2 === 0) detector.settle(call, outcome);
    return [new WeakRef(call), new WeakRef(outcome), new WeakRef(outcome.value as object)];
  }).flat();
}

const read = (token: string): WatchedCall => ({
  tool: 'get',
  token,
  effect: 'read',
  resources: ['a'],
  exempt: false,
});

const limits = { maxToolRepeats: 5, maxToolFailures: 8, maxStagnantCalls: 20 };

describe('LoopDetector', () => {
  it('takes half a megabyte at most, after however many calls', () => {
    fill(new LoopDetector(limits), 1000);
    const before = heapUsed();
    const detector = new LoopDetector(limits);
    fill(detector, 100_000);
    expect(heapUsed() - before).toBeLessThan(512 * 1024);
    detector.reset();
    expect(heapUsed() - before).toBeLessThan(64 * 1024);
  }, 60_000);

  it('keeps no call and no answer', async () => {
    const detector = new LoopDetector(limits);
    const refs = refsOfCalls(detector);
    // What a WeakRef was asked of, or made for, stays to the end of the turn.
    await new Promise(setImmediate);
    collect();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    expect(detector.isJoining(read('1'))).toBe(true);
  });
});
