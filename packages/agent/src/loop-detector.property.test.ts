import fc from 'fast-check';
import { LoopDetector, type LoopFinding, type LoopLimits } from './loop-detector.js';
import type { CallOutcome, WatchedCall } from './watched-call.js';

jest.setTimeout(60_000);

type Kind = LoopFinding['kind'];
type Found = { kind: Kind; count: number } | undefined;
type Event =
  | { readonly type: 'begin'; readonly call: WatchedCall; found: Kind | undefined }
  | { readonly type: 'end'; readonly call: WatchedCall; readonly outcome: CallOutcome };

/** The rules in their plainest form: everything is kept, and searched again at each call. */
class Reference {
  readonly log: Event[] = [];

  constructor(readonly limits: LoopLimits) {}

  begin(call: WatchedCall): Found {
    const event: Event = { type: 'begin', call, found: undefined };
    this.log.push(event);
    const found =
      this.repeat(call) ?? this.cycle(call) ?? this.storm(call) ?? this.stagnation(call);
    event.found = found?.kind;
    return found;
  }

  end(call: WatchedCall, outcome: CallOutcome): void {
    this.log.push({ type: 'end', call, outcome });
  }

  repeat(call: WatchedCall): Found {
    const begun = this.log.flatMap((event, at) =>
      event.type === 'begin' && identical(event.call, call) ? [{ call: event.call, at }] : [],
    );
    let first = 0;
    for (let nth = 1; nth < begun.length; nth++) {
      const between = this.log.slice(begun[nth - 1]!.at, begun[nth]!.at);
      if (
        between.some(
          (event) =>
            !identical(event.call, call) && this.changes(event) && concerns(event.call, call),
        )
      ) {
        first = Math.max(first, nth);
      }
    }
    for (const event of this.log) {
      if (call.effect !== 'read' || !this.isAnother(event, call)) continue;
      first = Math.max(
        first,
        begun.findIndex((one) => one.call === event.call),
      );
    }
    const count = begun.length - first;
    return !call.exempt && count > this.limits.maxToolRepeats
      ? { kind: 'repeat', count }
      : undefined;
  }

  cycle(call: WatchedCall): Found {
    if (call.exempt) return undefined;
    const steps = this.log.flatMap((event) =>
      event.type === 'begin' && !event.call.exempt ? [event] : [],
    );
    for (let period = 2; period <= 16; period++) {
      let matches = 0;
      while (identical(steps.at(-1 - matches)?.call, steps.at(-1 - matches - period)?.call))
        matches++;
      if (matches < period) continue;
      const round = steps.slice(-period);
      if (round.every((step) => identical(step.call, call))) continue;
      const earlier = steps.slice(-1 - (matches === period ? period - 1 : period), -1);
      const isQuiet = earlier.every((step) => this.isQuiet(step));
      if (round.some((step) => step.call.effect === 'mutate') || isQuiet) {
        return { kind: 'cycle', count: Math.floor(matches / period) + 1 };
      }
    }
    return undefined;
  }

  storm(call: WatchedCall): Found {
    let failures = 0;
    let failedAt = -1;
    let stoppedAt = -1;
    let found = false;
    for (const [at, event] of this.log.entries()) {
      if (event.call.tool !== call.tool) continue;
      const changed = this.log
        .slice(failedAt + 1, at)
        .some((other) => this.succeedsToChange(other) && concerns(other.call, event.call));
      if (event.type === 'begin') {
        // Found for another reason, it was not looked at for this one.
        if (event.found === 'repeat' || event.found === 'cycle') continue;
        found = failures >= this.limits.maxToolFailures;
        if (!found) continue;
        if (changed) {
          failures = 0;
          stoppedAt = -1;
          found = false;
          continue;
        }
        const learned = this.log.findLastIndex((other, index) => index < at && this.endsRow(other));
        if (stoppedAt >= 0 && learned > stoppedAt) {
          stoppedAt = at;
          found = false;
        } else if (stoppedAt < 0) stoppedAt = at;
      } else if (event.outcome.status === 'fresh') {
        failures = 0;
        stoppedAt = -1;
      } else if (event.outcome.status === 'failed') {
        const begunAt = this.log.findIndex((other) => other.call === event.call);
        if (begunAt < failedAt) continue;
        if (changed) {
          failures = 0;
          stoppedAt = -1;
        }
        failures++;
        failedAt = at;
      }
    }
    return found ? { kind: 'retry-storm', count: failures } : undefined;
  }

  stagnation(call: WatchedCall): Found {
    let row = 0;
    for (const event of this.log) {
      if (event.type === 'begin') {
        if (event.found === 'no-progress') row = 0;
      } else if (this.endsRow(event)) row = 0;
      else if (!event.call.exempt) row++;
    }
    return !call.exempt && row >= this.limits.maxStagnantCalls
      ? { kind: 'no-progress', count: row }
      : undefined;
  }

  before(event: Event): Event[] {
    return this.log.slice(0, this.log.indexOf(event));
  }

  /** How calls identical with that of an event ended before it. */
  outcomesBefore(event: Event): CallOutcome[] {
    return this.before(event).flatMap((other) =>
      other.type === 'end' && identical(other.call, event.call) ? [other.outcome] : [],
    );
  }

  isAnother(event: Event, than: WatchedCall): boolean {
    if (event.type !== 'end' || !identical(event.call, than)) return false;
    if (event.outcome.status === 'failed' || event.call.effect === 'mutate') return false;
    const earlier = this.outcomesBefore(event);
    const answers = earlier.filter(({ status }) => status !== 'failed');
    return answers.length === 0
      ? earlier.length > 0
      : answers.at(-1)!.value !== event.outcome.value;
  }

  isFirstSuccess(event: Event): boolean {
    if (event.type !== 'end' || event.outcome.status === 'failed') return false;
    return this.outcomesBefore(event).every(({ status }) => status === 'failed');
  }

  changes(event: Event): boolean {
    if (this.succeedsToChange(event)) return true;
    if (event.type !== 'end' || event.call.effect !== 'mutate') return false;
    return event.outcome.status === 'failed' && this.outcomesBefore(event).length === 0;
  }

  succeedsToChange(event: Event): boolean {
    return event.call.effect !== 'read' && this.isFirstSuccess(event);
  }

  endsRow(event: Event): boolean {
    if (event.type !== 'end' || event.outcome.status === 'failed') return false;
    const { call, outcome } = event;
    if (call.effect !== 'read' && this.isFirstSuccess(event)) return true;
    if (call.effect === 'mutate') return false;
    const text = outcome.value as string;
    if (text.length < 32 && call.token === undefined) return true;
    return !this.before(event).some(
      (other) =>
        other.type === 'end' &&
        other.outcome.status !== 'failed' &&
        other.call.effect !== 'mutate' &&
        other.outcome.value === text &&
        (text.length < 32 ? identical(other.call, call) : other.call.tool === call.tool),
    );
  }

  isQuiet(step: Event & { type: 'begin' }): boolean {
    const end = this.log.find((event) => event.type === 'end' && event.call === step.call);
    return end === undefined ? step.found !== undefined : !this.isAnother(end, step.call);
  }
}

function identical(one: WatchedCall | undefined, other: WatchedCall | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one === other || (one.token !== undefined && one.token === other.token);
}

function concerns(change: WatchedCall, call: WatchedCall): boolean {
  if (call.effect === 'unknown') return true;
  if (change.effect === 'unknown') return false;
  return change.resources.some((one) =>
    call.resources.some(
      (other) => `${one}:`.startsWith(`${other}:`) || `${other}:`.startsWith(`${one}:`),
    ),
  );
}

const texts = ['', 'a', 'b', ...['x', 'y'].map((letter) => letter.repeat(40))];
const resources = [[], ['a'], ['a:1'], ['a:2'], ['b', 'a:1:x']];

/** Few tools with few arguments each, so that calls are repeated a lot. */
const callArbitrary = fc
  .record({ tool: fc.nat(5), args: fc.nat(2), odd: fc.nat(19) })
  .map(({ tool, args, odd }): WatchedCall => {
    const effect = (['read', 'read', 'mutate', 'mutate', 'unknown', 'read'] as const)[tool]!;
    return {
      tool: `t${tool}`,
      token: odd === 0 ? undefined : `t${tool}(${args})`,
      effect,
      resources: effect === 'unknown' ? [] : resources[(tool + args) % resources.length]!,
      exempt: tool === 5,
    };
  });

const outcomeArbitrary = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...texts).map((value): CallOutcome => ({ status: 'fresh', value })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...texts).map((value): CallOutcome => ({ status: 'cached', value })),
  },
  { weight: 2, arbitrary: fc.constant<CallOutcome>({ status: 'failed' }) },
);

/** `late` calls end after that many further calls, or never. */
const stepArbitrary = fc.record({
  call: callArbitrary,
  outcome: outcomeArbitrary,
  late: fc.constantFrom(0, 0, 0, 1, 3, Infinity),
});

/** Random calls, and runs of the same few over and over, as loops are. */
const programArbitrary = fc
  .array(
    fc.tuple(fc.array(stepArbitrary, { minLength: 1, maxLength: 6 }), fc.constantFrom(1, 1, 2, 4)),
    { maxLength: 12 },
  )
  .map((parts) =>
    parts.flatMap(([steps, times]) => Array.from({ length: times }, () => steps).flat()),
  );

describe('LoopDetector', () => {
  it.each([
    ['small limits', { maxToolRepeats: 3, maxToolFailures: 3, maxStagnantCalls: 6 }],
    [
      'no limit but that of cycles',
      { maxToolRepeats: Infinity, maxToolFailures: Infinity, maxStagnantCalls: Infinity },
    ],
    [
      'no limit but that of failures',
      { maxToolRepeats: Infinity, maxToolFailures: 2, maxStagnantCalls: Infinity },
    ],
  ])('finds what the rules say, with %s', (_, limits) => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(programArbitrary, fc.boolean(), (program, runsAll) => {
        const detector = new LoopDetector(limits);
        const reference = new Reference(limits);
        const due: { at: number; call: WatchedCall; outcome: CallOutcome }[] = [];
        for (const [at, { call: like, outcome, late }] of program.entries()) {
          const call = { ...like };
          const finding = detector.admit(call);
          const expected = reference.begin(call);
          expect(finding && { kind: finding.kind, count: finding.count }).toEqual(expected);
          kinds.set(finding?.kind ?? 'none', (kinds.get(finding?.kind ?? 'none') ?? 0) + 1);
          if (finding === undefined || (runsAll && late === 0))
            due.push({ at: at + late, call, outcome });
          for (const one of due.filter((one) => one.at === at)) {
            detector.settle(one.call, one.outcome);
            reference.end(one.call, one.outcome);
          }
        }
      }),
      { numRuns: 200 },
    );
    // The programs are no good if they do not loop.
    if (limits.maxStagnantCalls === 6) {
      for (const kind of ['none', 'repeat', 'cycle', 'retry-storm', 'no-progress']) {
        expect(kinds.get(kind)).toBeGreaterThan(10);
      }
    }
  });

  const limits: LoopLimits = { maxToolRepeats: 5, maxToolFailures: 8, maxStagnantCalls: 20 };
  const call = (tool: string, given: Partial<WatchedCall> = {}): WatchedCall => ({
    tool,
    token: tool,
    effect: 'read',
    resources: [],
    exempt: false,
    ...given,
  });

  it('finds a cycle of any period at call 2p, whatever came before', () => {
    const effect = fc.constantFrom('read' as const, 'mutate' as const, 'unknown' as const);
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 16 }),
        fc.array(effect, { minLength: 16, maxLength: 16 }),
        programArbitrary,
        fc.boolean(),
        (period, effects, before, polls) => {
          const detector = new LoopDetector({ ...limits, maxStagnantCalls: Infinity });
          for (const { call: like, outcome } of before) {
            const one = { ...like };
            detector.admit(one);
            detector.settle(one, outcome);
          }
          for (let i = 1; i <= 2 * period; i++) {
            const at = (i - 1) % period;
            const one = call(`cycle ${at}`, { effect: effects[at]! });
            const finding = detector.admit(one);
            expect(finding?.kind).toBe(i === 2 * period ? 'cycle' : undefined);
            expect(finding?.period).toBe(i === 2 * period ? period : undefined);
            detector.settle(one, { status: 'fresh', value: at });
            if (!polls) continue;
            const poll = call('poll', { exempt: true });
            expect(detector.admit(poll)).toBeUndefined();
            detector.settle(poll, { status: 'fresh', value: i });
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds nothing where every call differs and brings something', () => {
    const effect = fc.constantFrom('read' as const, 'mutate' as const, 'unknown' as const);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(effect, fc.nat(3), fc.boolean()), { maxLength: 300 }),
        (program) => {
          const detector = new LoopDetector({
            maxToolRepeats: 1,
            maxToolFailures: 1,
            maxStagnantCalls: 1,
          });
          for (const [i, [effect, tool, isSmall]] of program.entries()) {
            const one = call(`tool ${tool}`, { effect, token: `${i}`, resources: ['a'] });
            expect(detector.admit(one)).toBeUndefined();
            const value = isSmall
              ? true
              : `page ${i} of a text that is long enough to tell something`;
            detector.settle(one, { status: 'fresh', value });
          }
        },
      ),
    );
  });

  it('finds nothing among the same reads as long as they answer otherwise', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 300 }), fc.nat(9), (tools, seed) => {
        const detector = new LoopDetector({
          maxToolRepeats: 2,
          maxToolFailures: 1,
          maxStagnantCalls: 1,
        });
        for (const [i, tool] of tools.entries()) {
          const one = call(`tool ${tool}`);
          const finding = detector.admit(one);
          // Before it has answered twice, none of its answers is another one.
          const isYoung = tools.slice(0, i).filter((other) => other === tool).length < 2;
          if (!isYoung) expect(finding).toBeUndefined();
          detector.settle(one, { status: 'fresh', value: i + seed });
        }
      }),
    );
  });
});
