/*
 * The same random program runs on dataloader and on ours; what happens must be the same.
 *
 *   ACACHE_RUNS=100000 npx jest packages/batch/src/data-loader.differential   more programs (default 2000)
 */
import OriginalDataLoader from 'dataloader';
import fc from 'fast-check';
import { nextTurn } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/outcome.js';
import { DataLoader } from './index.js';

failOnUnhandledRejections();

/** A key as the program names it; `null` is none. */
type Name = number | null;
type Key = number | { readonly id: number };

/** What a program does at a time. What hangs on a load is done once that has settled. */
type Op =
  | { do: 'load'; key: Name; then: Op[] }
  | { do: 'loadMany'; keys: Name[]; then: Op[] }
  | { do: 'clear'; key: number }
  | { do: 'clearAll' }
  | { do: 'prime'; key: number; with: 'value' | 'error' | 'promise' }
  /** Lets the promise callbacks go on by one. */
  | { do: 'await' }
  /** Calls what the scheduler was given. */
  | { do: 'dispatch' };

interface Turn {
  /** Whether what was begun before is done when this turn begins, or only its ticks have come. */
  begins: 'quiet' | 'tick';
  /** What happens first, and is waited for: a batch is answered, or sent. */
  first: 'answer oldest' | 'answer newest' | 'dispatch' | 'nothing';
  ops: Op[];
}

/** How one call of the batch function ends. */
interface Answer {
  how: 'values' | 'some errors' | 'array-like' | Failure;
  when: 'at once' | 'next turn' | 'when told';
}
type Failure =
  'rejects' | 'throws' | 'no promise' | 'too short' | 'too long' | 'null' | 'text' | 'number';
const FAILURES: Failure[] = [
  'rejects',
  'throws',
  'no promise',
  'too short',
  'too long',
  'null',
  'text',
  'number',
];

interface Options {
  batch?: boolean;
  maxBatchSize?: number;
  cache?: boolean;
  cacheMap: 'default' | 'none' | 'own' | 'bounded';
  keys: 'numbers' | 'same objects' | 'equal objects';
  cacheKey: 'none' | 'id' | 'coarse';
  schedule: 'default' | 'immediate' | 'by hand';
}

interface Program {
  options: Options;
  /** One for each call of the batch function, over and over. */
  answers: Answer[];
  turns: Turn[];
  /** When what hangs on a load is done: by its own promise, or together with all that ends in the turn. */
  chains: 'at once' | 'together';
}

const name: fc.Arbitrary<Name> = fc.oneof(
  { weight: 20, arbitrary: fc.nat(4) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const simpleOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('clear' as const), key: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clearAll' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('prime' as const),
      key: fc.nat(4),
      with: fc.constantFrom('value' as const, 'error' as const, 'promise' as const),
    }),
  },
);
/** Operations with chains of others, `depth` deep. */
function ops(depth: number, maxLength: number): fc.Arbitrary<Op[]> {
  const then: fc.Arbitrary<Op[]> = depth === 0 ? fc.constant([]) : ops(depth - 1, 2);
  const load = fc.record({ do: fc.constant('load' as const), key: name, then });
  const loadMany = fc.record({
    do: fc.constant('loadMany' as const),
    keys: fc.array(name, { maxLength: 4 }),
    then,
  });
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: load },
      { weight: 2, arbitrary: loadMany },
      { weight: 2, arbitrary: simpleOp },
    ),
    { maxLength },
  );
}
const topOps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: ops(3, 2) },
    { weight: 1, arbitrary: fc.constant<Op[]>([{ do: 'await' }]) },
    { weight: 1, arbitrary: fc.constant<Op[]>([{ do: 'dispatch' }]) },
  ),
  { maxLength: 4 },
);

const program: fc.Arbitrary<Program> = fc
  .record({
    options: fc.record(
      {
        batch: fc.boolean(),
        maxBatchSize: fc.constantFrom(1, 2, 3, 1.5, Infinity),
        cache: fc.boolean(),
        cacheMap: fc.constantFrom('default', 'default', 'none', 'own', 'bounded'),
        keys: fc.constantFrom('numbers', 'numbers', 'same objects', 'equal objects'),
        cacheKey: fc.constantFrom('none', 'id', 'coarse'),
        schedule: fc.constantFrom('default', 'default', 'immediate', 'by hand'),
      },
      { requiredKeys: ['cacheMap', 'keys', 'cacheKey', 'schedule'] },
    ),
    answers: fc.array(
      fc.record({
        how: fc.oneof(
          { weight: 3, arbitrary: fc.constant('values' as const) },
          { weight: 2, arbitrary: fc.constant('some errors' as const) },
          { weight: 1, arbitrary: fc.constant('array-like' as const) },
          { weight: 3, arbitrary: fc.constantFrom(...FAILURES) },
        ),
        when: fc.constantFrom('at once' as const, 'next turn' as const, 'when told' as const),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    turns: fc.array(
      fc.record({
        begins: fc.constantFrom('quiet' as const, 'tick' as const),
        first: fc.constantFrom(
          'answer oldest' as const,
          'answer newest' as const,
          'dispatch' as const,
          'nothing' as const,
        ),
        ops: topOps.map((lists) => lists.flat()),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    chains: fc.constantFrom('at once' as const, 'together' as const),
  })
  .map(comparable);

/**
 * Ours settles a batch a few promise callbacks later than dataloader, which shows to a program that
 * counts callbacks, or whose loads end together. So chains go on once all has ended that ends in this
 * turn; or at once, where the order in which they go on can show in nothing but the order of keys.
 */
function comparable(given: Program): Program {
  const { batch = true, maxBatchSize = Infinity, cacheMap, cacheKey } = given.options;
  const orderless = batch && maxBatchSize === Infinity && cacheMap !== 'bounded';
  if (given.chains === 'together' || !orderless || cacheKey === 'coarse') {
    return { ...given, chains: 'together' };
  }
  const loadsOnly = (ops: readonly Op[]): Op[] =>
    ops
      .filter((op) => op.do === 'load' || op.do === 'loadMany')
      .map((op) => ({ ...op, then: loadsOnly(op.then) }));
  const turns = given.turns.map((turn) => ({
    ...turn,
    ops: turn.ops.map((op) => ('then' in op ? { ...op, then: loadsOnly(op.then) } : op)),
  }));
  return { ...given, turns };
}

/** Lets promise callbacks go on. */
async function callbacks(count: number): Promise<void> {
  for (let each = 0; each < count; each++) await Promise.resolve();
}
/** What ends in one turn has ended. */
const ENDED = 20;
/** And so have the chains that hang on it. */
const CHAINS_ENDED = 200;

/** A cache of the user's own, of few entries where it is bounded. */
class OwnMap<C, V> {
  readonly entries = new Map<C, V>();
  readonly bound: number;

  constructor(bound: number) {
    this.bound = bound;
  }

  get(key: C): V | undefined {
    return this.entries.get(key);
  }

  set(key: C, value: V): void {
    this.entries.set(key, value);
    const [oldest] = this.entries.keys();
    if (this.entries.size > this.bound) this.entries.delete(oldest as C);
  }

  delete(key: C): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }
}

type Loader = Pick<
  OriginalDataLoader<Key, unknown, unknown>,
  'load' | 'loadMany' | 'clear' | 'clearAll' | 'prime' | 'name'
>;
type LoaderClass = new (
  load: OriginalDataLoader.BatchLoadFn<Key, unknown>,
  options: OriginalDataLoader.Options<Key, unknown, unknown>,
) => Loader;

/** What a failure is: its class where it is misuse, since the words are each one's own. */
function textOf(error: unknown): string {
  return error instanceof TypeError ? 'TypeError' : String(error);
}

function idOf(key: Key): number {
  return typeof key === 'number' ? key : key.id;
}

/** Runs a program; answers with what happened, where settlements between two batches are in no order. */
async function play(Loader: LoaderClass, given: Program): Promise<string[]> {
  const { options, answers, turns, chains } = given;
  const transcript: string[] = [];
  let settled: string[] = [];
  const mark = (line: string): void => {
    transcript.push(...settled.sort(), line);
    settled = [];
  };

  const objects = [0, 1, 2, 3, 4].map((id) => ({ id }));
  const keyOf = (name: number | null): Key => {
    if (name === null) return name as unknown as Key;
    if (options.keys === 'numbers') return name;
    return options.keys === 'same objects' ? (objects[name] as Key) : { id: name };
  };

  let calls = 0;
  const waiting: (() => void)[] = [];
  const planned: (() => void)[] = [];
  let healthy = false;

  function load(this: unknown, keys: readonly Key[]): Promise<ArrayLike<unknown>> {
    const call = calls++;
    const { how, when } = healthy
      ? ({ how: 'values', when: 'at once' } as const)
      : (answers[call % answers.length] as Answer);
    const ids = keys.map(idOf);
    if (chains === 'at once') ids.sort();
    mark(`batch ${call}: ${ids.join()}${this === loader ? '' : ' without its loader'}`);
    if (how === 'throws') throw new Error(`throws ${call}`);
    if (how === 'no promise') return keys.map(idOf) as never;
    const result = resultOf(how, call, keys);
    if (when === 'at once') return result();
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        result().then(resolve, reject);
      };
      if (when === 'next turn') setImmediate(answer);
      else waiting.push(answer);
    });
  }

  const cacheMaps = { default: undefined, none: null, own: new OwnMap(99), bounded: new OwnMap(2) };
  const cacheMap = cacheMaps[options.cacheMap];
  const cacheKeys = {
    none: undefined,
    id: idOf,
    coarse: (key: Key) => `about ${idOf(key) >> 1}`,
  };
  const schedules = {
    default: undefined,
    immediate: (dispatch: () => void) => void setImmediate(dispatch),
    'by hand': (dispatch: () => void) => void planned.push(dispatch),
  };
  const loader = new Loader(load, {
    ...options,
    cacheMap: cacheMap as OriginalDataLoader.CacheMap<unknown, Promise<unknown>>,
    cacheKeyFn: cacheKeys[options.cacheKey],
    batchScheduleFn: schedules[options.schedule],
  });

  const watch = (label: string, begin: () => Promise<unknown>, then: Op[]): void => {
    let promise: Promise<unknown>;
    try {
      promise = begin();
    } catch (error) {
      settled.push(`${label} throws ${textOf(error)}`);
      return;
    }
    const goOn = (outcome: string): void => {
      settled.push(`${label} ${outcome}`);
      if (chains === 'at once') chain(label, then);
      else gather(label, then);
    };
    promise.then(
      (value) => {
        goOn(`= ${Array.isArray(value) ? value.map(textOf).join(' ') : String(value)}`);
      },
      (error: unknown) => {
        goOn(`rejects ${textOf(error)}`);
      },
    );
  };

  const fluent = (label: string, result: unknown): void => {
    if (result !== loader) settled.push(`${label} answers with something else`);
  };

  const chain = (label: string, then: readonly Op[]): void => {
    then.forEach((op, index) => {
      run(op, `${label}.${index}`);
    });
  };

  const gathered = new Map<string, readonly Op[]>();
  const gather = (label: string, then: readonly Op[]): void => {
    gathered.set(label, then);
    if (gathered.size > 1) return;
    void callbacks(ENDED).then(() => {
      const ended = [...gathered].sort(([one], [other]) => (one < other ? -1 : 1));
      gathered.clear();
      for (const [each, ops] of ended) chain(each, ops);
    });
  };

  const run = (op: Op, label: string): void => {
    switch (op.do) {
      case 'load':
        watch(`${label}:load ${op.key}`, () => loader.load(keyOf(op.key)), op.then);
        break;
      case 'loadMany':
        watch(
          `${label}:loadMany ${op.keys.join()}`,
          () => loader.loadMany(op.keys.map(keyOf)),
          op.then,
        );
        break;
      case 'clear':
        fluent(label, loader.clear(keyOf(op.key)));
        break;
      case 'clearAll':
        fluent(label, loader.clearAll());
        break;
      case 'prime': {
        const values = {
          value: () => `primed ${label}`,
          error: () => new Error(`primed ${label}`),
          promise: () => Promise.resolve(`primed ${label} late`),
        };
        fluent(label, loader.prime(keyOf(op.key), values[op.with]()));
        break;
      }
      case 'dispatch':
        planned.shift()?.();
        break;
      case 'await':
        break;
    }
  };

  const quiet = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  };

  for (const [at, turn] of turns.entries()) {
    if (turn.begins === 'quiet') await quiet();
    else {
      await new Promise<void>((resolve) => process.nextTick(resolve));
      await callbacks(CHAINS_ENDED);
    }
    mark(`turn ${at}`);
    if (turn.first !== 'nothing') {
      if (turn.first === 'dispatch') planned.shift()?.();
      else (turn.first === 'answer oldest' ? waiting.shift() : waiting.pop())?.();
      await quiet();
    }
    for (const [index, op] of turn.ops.entries()) {
      run(op, `${at}.${index}`);
      if (op.do === 'await') await Promise.resolve();
      if (op.do === 'dispatch') await callbacks(CHAINS_ENDED);
    }
  }
  await quiet();

  mark('the rest');
  while (waiting.length > 0 || planned.length > 0) {
    (waiting.shift() ?? planned.shift())?.();
    await quiet();
  }
  mark('what is kept');
  healthy = true;
  if (cacheMap instanceof OwnMap) {
    const kept = [...cacheMap.entries.keys()].map(String);
    if (chains === 'at once') kept.sort();
    transcript.push(`in the map: ${kept.join()}`);
  }
  for (const key of [0, 1, 2, 3, 4]) run({ do: 'load', key, then: [] }, 'kept');
  while (planned.length > 0) planned.shift()?.();
  await quiet();
  mark('the end');
  return transcript;
}

/** The results of a batch, made when it is answered. */
function resultOf(
  how: Answer['how'],
  call: number,
  keys: readonly Key[],
): () => Promise<ArrayLike<unknown>> {
  const values = keys.map((key) => `${idOf(key)} of ${call}`);
  return async () => {
    switch (how) {
      case 'some errors':
        return keys.map((key, index) =>
          idOf(key) % 2 === 1 ? new Error(`no ${values[index]}`) : values[index],
        );
      case 'array-like':
        return Object.assign({ length: values.length }, Object.fromEntries(values.entries()));
      case 'rejects':
        throw new Error(`rejects ${call}`);
      case 'too short':
        return values.slice(1);
      case 'too long':
        return [...values, 'more'];
      case 'null':
        return null as never;
      case 'text':
        return 'text';
      case 'number':
        return 7 as never;
      case 'throws':
      case 'no promise':
      case 'values':
        return values;
    }
  };
}

describe('DataLoader beside dataloader', () => {
  it('does the same in every program', async () => {
    const numRuns = Number(process.env.ACACHE_RUNS ?? 2000);
    await fc.assert(
      fc.asyncProperty(program, async (given) => {
        const theirs = await play(OriginalDataLoader, given);
        const ours = await play(DataLoader, given);
        expect(ours).toEqual(theirs);
      }),
      { numRuns },
    );
  }, 600_000);
});
