import fc from 'fast-check';
import type { Labelled } from './observed.js';
import { Totals } from './totals.js';

/** Something that counts, and what it has counted in all its life. */
class Subject {
  counters = { a: 0, b: 0 };
  readonly truth = { a: 0, b: 0 };

  constructor(readonly name: string) {}

  count(name: 'a' | 'b', by: number): void {
    this.counters[name] += by;
    this.truth[name] += by;
  }

  clear(): void {
    this.counters = { a: 0, b: 0 };
  }
}

function setUp(subjects: () => readonly Subject[], most = 10) {
  const overflows: string[] = [];
  const totals = new Totals<Subject>({
    subjects: () => subjects().map((subject): Labelled<Subject> => [undefined, subject]),
    nameOf: ({ name }) => name,
    snapshot: ({ counters }) => ({ counters: { ...counters }, levels: {} }),
    most,
    overflow: (label) => overflows.push(label),
  });
  const read = () =>
    Object.fromEntries(totals.collect().map(({ counters, place }) => [place.label, counters]));
  return { overflows, read };
}

describe('totals', () => {
  it('go on where a counter starts again', () => {
    const subject = new Subject('s');
    const { read } = setUp(() => [subject]);
    subject.count('a', 10);
    expect(read()).toEqual({ s: { a: 10, b: 0 } });
    subject.clear();
    expect(read()).toEqual({ s: { a: 10, b: 0 } });
    subject.count('a', 3);
    expect(read()).toEqual({ s: { a: 13, b: 0 } });
  });

  it('know from one counter that all have started again', () => {
    const subject = new Subject('s');
    const { read } = setUp(() => [subject]);
    subject.count('a', 10);
    subject.count('b', 1);
    read();
    subject.clear();
    subject.count('b', 5);
    subject.count('a', 2);
    expect(read()).toEqual({ s: { a: 12, b: 6 } });
  });

  it('never go down, never exceed what was counted, and are exact without a clear', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constantFrom('a' as const, 'b' as const),
          by: fc.nat(5),
          which: fc.nat(2),
        }),
        fc.record({ kind: fc.constant('read' as const) }),
        fc.record({ kind: fc.constant('clear' as const), which: fc.nat(2) }),
        fc.record({ kind: fc.constant('swap' as const), which: fc.nat(2) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const all = ['x', 'x', 'y'].map((name) => new Subject(name));
        const gone = new Set<Subject>();
        const { read } = setUp(() => all.filter((subject) => !gone.has(subject)));
        const before: Record<string, Record<string, number>> = {};
        let hasCleared = false;
        for (const step of plan) {
          const subject = 'which' in step ? (all[step.which] as Subject) : undefined;
          if (step.kind === 'a' || step.kind === 'b') subject?.count(step.kind, step.by);
          else if (step.kind === 'clear') {
            subject?.clear();
            hasCleared = true;
          } else if (step.kind === 'swap' && subject !== undefined) {
            if (!gone.delete(subject)) gone.add(subject);
          }
          if (step.kind !== 'read') continue;
          for (const [label, counters] of Object.entries(read())) {
            for (const [name, value] of Object.entries(counters)) {
              expect(value).toBeGreaterThanOrEqual(before[label]?.[name] ?? 0);
            }
            before[label] = { ...counters };
          }
        }
        gone.clear();
        const end = read();
        for (const name of ['a', 'b'] as const) {
          const shown = Object.values(end).reduce(
            (sum, counters) => sum + (counters[name] ?? 0),
            0,
          );
          const truth = all.reduce((sum, subject) => sum + subject.truth[name], 0);
          if (hasCleared) expect(shown).toBeLessThanOrEqual(truth);
          else expect(shown).toBe(truth);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('tell two of one name apart, and let the next have the label of one that is gone', () => {
    let subjects = ['s', 's', 's#2'].map((name) => new Subject(name));
    const { read } = setUp(() => subjects);
    subjects.forEach((subject, at) => {
      subject.count('a', at + 1);
    });
    expect(read()).toEqual({ s: { a: 1, b: 0 }, 's#2': { a: 2, b: 0 }, 's#2#2': { a: 3, b: 0 } });
    const next = new Subject('s');
    next.count('a', 100);
    subjects = [...subjects.slice(1), next];
    expect(read()).toMatchObject({ s: { a: 101 }, 's#2': { a: 2 } });
  });

  it('leave out what is too much, say so once, and make room where one is gone', () => {
    let subjects = ['a', 'b', 'c', 'd'].map((name) => new Subject(name));
    const { overflows, read } = setUp(() => subjects, 2);
    expect(Object.keys(read())).toEqual(['a', 'b']);
    read();
    expect(overflows).toEqual(['c']);
    subjects = subjects.slice(1);
    expect(Object.keys(read())).toEqual(['b', 'c']);
  });

  it('go on where one comes back whose label had made room meanwhile', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Subject(name)) as [
      Subject,
      Subject,
      Subject,
    ];
    let subjects = [a, b];
    const { read } = setUp(() => subjects, 2);
    a.count('a', 50);
    expect(read()).toMatchObject({ a: { a: 50 } });
    subjects = [b, c];
    read();
    subjects = [b, a];
    a.count('a', 10);
    expect(read()).toMatchObject({ a: { a: 60 } });
  });

  it.each([NaN, undefined, Infinity])('stay as they were where a counter is %p for once', (odd) => {
    const subject = new Subject('s');
    const { read } = setUp(() => [subject]);
    subject.count('a', 5);
    subject.count('b', 5);
    read();
    subject.counters = { a: odd as number, b: 7 };
    expect(read()).toEqual({ s: { a: 5, b: 7 } });
    subject.counters = { a: 6, b: 7 };
    expect(read()).toEqual({ s: { a: 6, b: 7 } });
  });
});
