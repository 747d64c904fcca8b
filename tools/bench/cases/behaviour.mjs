import { setTimeout as sleep } from 'node:timers/promises';
import { sampleOf } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { SUBJECT } from '../lib/jobs.mjs';

/** Milliseconds. */
const LOADING = 50;
const HALF_WAY = 20;
const TTL = 60_000;
/** Whole seconds: some count in nothing else. */
const SHORT_TTL = 1000;
const OVER = SHORT_TTL + 150;
const TIMEOUT = 200;
const PATIENCE = 1000;

const CALLERS = 100;
const MAX_SIZE = 100;
const MANY = 1000;

/** What stands for a cache that offers nothing of the kind. */
const NOTHING = 'none';

/**
 * @typedef {import('../lib/contestant.mjs').SourceOptions} Options
 * @typedef {import('../lib/contestant.mjs').Source} Source
 * @typedef {(options: Partial<Options> & Pick<Options, 'load'>) => Source} Open
 *
 * @typedef {object} Question
 * @property {string} name
 * @property {readonly string[]} words of the answers; the first is what ours must give
 * @property {(open: Open) => Promise<string>} ask answers with one of the words
 */

/** @type {readonly Question[]} */
const questions = [
  {
    name: '100 callers at once of a cold key',
    words: ['1 load', 'more loads'],
    async ask(open) {
      const source = sourceOf();
      const cache = open(source);
      await Promise.all(Array.from({ length: CALLERS }, () => cache.get('k')));
      return source.loads === 1 ? '1 load' : 'more loads';
    },
  },
  {
    name: 'the loader fails: its callers get',
    words: ['its error', 'an error of the cache', 'undefined'],
    async ask(open) {
      const failure = new Error('the database is down');
      const cache = open({ load: () => sleep(1).then(() => Promise.reject(failure)) });
      const [ended] = await Promise.allSettled([cache.get('k'), cache.get('k')]);
      if (ended.status === 'fulfilled') return 'undefined';
      return ended.reason === failure ? 'its error' : 'an error of the cache';
    },
  },
  {
    name: 'a call after a load that failed',
    words: ['loads', 'gets the old error'],
    async ask(open) {
      const source = sourceOf({ fails: true });
      const cache = open(source);
      await outcomeOf(cache.get('k'));
      await sleep(HALF_WAY); // some forget it a little later
      source.fails = false;
      const { failed } = await outcomeOf(cache.get('k'));
      return failed ? 'gets the old error' : 'loads';
    },
  },
  {
    name: 'a load during which its key is deleted',
    words: ['not kept', 'kept', NOTHING],
    ask: (open) => overtaken(open, {}, deleting),
  },
  {
    name: 'who asks after that delete, while it runs',
    words: ['gets the new value', 'gets the old value', 'gets an error', NOTHING],
    async ask(open) {
      const begun = await halfWay(open, {}, deleting);
      if (begun === undefined) return NOTHING;
      const { cache, first, say, source } = begun;
      source.value = 'new';
      await say();
      const { failed, value } = await outcomeOf(cache.get('k'));
      await first;
      if (failed) return 'gets an error';
      return value?.value === 'new' ? 'gets the new value' : 'gets the old value';
    },
  },
  {
    name: 'who had asked before it',
    words: ['gets the value', 'gets undefined', 'gets an error', NOTHING],
    async ask(open) {
      const begun = await halfWay(open, {}, deleting);
      if (begun === undefined) return NOTHING;
      await begun.say();
      const { failed, value } = await begun.first;
      if (failed) return 'gets an error';
      return value === undefined ? 'gets undefined' : 'gets the value';
    },
  },
  {
    name: 'a load during which its tag is invalidated',
    words: ['not kept', 'kept', NOTHING],
    ask: (open) =>
      overtaken(
        open,
        { tag: 't' },
        ({ invalidateTag }) => invalidateTag && (() => invalidateTag('t')),
      ),
  },
  {
    name: 'a load during which its key is set',
    words: ['not kept', 'kept: what was set is lost', NOTHING],
    async ask(open) {
      const begun = await halfWay(open, {}, setting);
      if (begun === undefined) return NOTHING;
      const { cache, first, say } = begun;
      await say();
      await first;
      const { value } = await outcomeOf(cache.get('k'));
      return value?.value === 'set' ? 'not kept' : 'kept: what was set is lost';
    },
  },
  {
    name: 'stale values served while one refresh runs',
    words: ['yes', 'with several refreshes', 'no: they wait', NOTHING],
    async ask(open) {
      const stale = await staleIn(open, 'staleWhileRevalidate');
      if (stale === undefined) return NOTHING;
      const { cache, source } = stale;
      source.value = 'new';
      const values = await Promise.all([1, 2, 3].map(() => cache.get('k')));
      if (values.some(({ value }) => value !== 'old')) return 'no: they wait';
      await sleep(2 * LOADING);
      return source.loads === 2 ? 'yes' : 'with several refreshes';
    },
  },
  {
    name: 'such a refresh fails',
    words: ['nobody is hurt', 'unhandled rejection', 'a caller gets the error', NOTHING],
    async ask(open) {
      const stale = await staleIn(open, 'staleWhileRevalidate');
      if (stale === undefined) return NOTHING;
      const { cache, source } = stale;
      source.fails = true;
      return withoutRejections(async () => {
        const first = await outcomeOf(cache.get('k'));
        await sleep(2 * LOADING);
        const second = await outcomeOf(cache.get('k'));
        await sleep(2 * LOADING);
        return first.failed || second.failed ? 'a caller gets the error' : 'nobody is hurt';
      });
    },
  },
  {
    name: 'a stale value where the loader fails',
    words: ['served', 'the error instead', NOTHING],
    async ask(open) {
      const stale = await staleIn(open, 'staleIfError');
      if (stale === undefined) return NOTHING;
      const { cache, source } = stale;
      source.fails = true;
      const { failed } = await outcomeOf(cache.get('k'));
      return failed ? 'the error instead' : 'served';
    },
  },
  {
    name: 'a loader that hangs, with a timeout',
    words: ['its callers are let go', 'they wait on', NOTHING],
    async ask(open) {
      const cache = open({ load: () => new Promise(() => undefined), timeout: TIMEOUT });
      if (!cache.has.includes('timeout')) return NOTHING;
      const ended = outcomeOf(cache.get('k')).then(() => 'its callers are let go');
      return Promise.race([ended, sleep(PATIENCE, 'they wait on')]);
    },
  },
  {
    name: 'one of two callers leaves by its signal',
    words: ['the other gets the value', 'the other fails', 'it cannot leave', NOTHING],
    async ask(open) {
      const source = sourceOf();
      const cache = open({ load: source.load, leaving: true });
      if (!cache.has.includes('signal')) return NOTHING;
      const leaving = new AbortController();
      const left = outcomeOf(cache.get('k', leaving.signal));
      const stays = outcomeOf(cache.get('k'));
      await sleep(HALF_WAY);
      leaving.abort();
      if (!(await left).failed) return 'it cannot leave';
      const { failed, value } = await stays;
      return failed || value === undefined ? 'the other fails' : 'the other gets the value';
    },
  },
  ...[undefined, null].map((nothing) => ({
    name: `a loader that gives \`${nothing}\``,
    words: ['is kept', 'loads each time', 'fails'],
    ask: async (/** @type {Open} */ open) => {
      let loads = 0;
      const cache = open({ load: async () => (loads++, nothing) });
      const { failed } = await outcomeOf(cache.get('k'));
      if (failed) return 'fails';
      await outcomeOf(cache.get('k'));
      return loads === 1 ? 'is kept' : 'loads each time';
    },
  })),
  {
    name: '10 keys at once',
    words: ['1 load', '10 loads', NOTHING],
    async ask(open) {
      let calls = 0;
      const loadMany = async (/** @type {readonly string[]} */ keys) => {
        calls++;
        return keys.map((key) => ({ key, value: 'old' }));
      };
      const load = async (/** @type {string} */ key) => (await loadMany([key]))[0];
      const cache = open({ load, loadMany });
      if (cache.getMany === undefined) return NOTHING;
      await cache.getMany(Array.from({ length: 10 }, (_, at) => `${at}`));
      return calls === 1 ? '1 load' : '10 loads';
    },
  },
  {
    name: `after 1000 keys with room for ${MAX_SIZE}`,
    words: ['bounded', 'unbounded'],
    async ask(open) {
      const source = sourceOf({ loading: 0 });
      const cache = open(source);
      for (let at = 0; at < MANY; at++) await cache.get(`${at}`);
      await sleep(HALF_WAY);
      for (let at = MANY - 1; at >= 0; at--) await cache.get(`${at}`);
      // What the second round found needed no load; some keep two generations.
      return 2 * MANY - source.loads <= 2 * MAX_SIZE ? 'bounded' : 'unbounded';
    },
  },
];

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const figures = questions.map(({ name, words }) => ({ name, unit: '', words }));

/** @type {import('../lib/case.mjs').Case} */
export const behaviour = {
  name: 'behaviour',
  about: `what a cache does in front of a loader of ${LOADING} ms, each with the option that its manual has for the question; \`${NOTHING}\` where it has no such option; first column a Map of promises by hand`,
  baseline: 'promise-map',
  asked: true,
  unit: '',
  figures,
  down: true,
  alone: true,
  runs: () => 1,
  variants: () => [
    {
      label: 'memory',
      peers: [
        'lru-cache',
        'cachified',
        'bentocache',
        'async-cache-dedupe',
        'layered-loader',
        'cache-manager',
        'cacheable',
        'memoizee',
        'p-memoize',
        'dataloader',
      ],
    },
  ],
  async measure([name]) {
    const { openSource } = await contestant(name);
    /** @type {Open} */
    const open = (options) => openSource({ ttl: TTL, maxSize: MAX_SIZE, ...options });
    /** @type {import('../lib/case.mjs').Samples} */
    const samples = {};
    for (const [at, { name: asked, words, ask }] of questions.entries()) {
      const found = await ask(open);
      if (name === SUBJECT && found !== words[0]) {
        throw new Error(`${asked}: ${found}, not ${words[0]}`);
      }
      samples[sampleOf(name, figures[at])] = [words.indexOf(found)];
    }
    return samples;
  },
};

/** A source of one value, which may change and fail. */
function sourceOf({ fails = false, loading = LOADING } = {}) {
  const source = {
    loads: 0,
    value: 'old',
    fails,
    async load(/** @type {string} */ key) {
      source.loads++;
      // What it was when the load began: so is what a query reads.
      const { value, fails } = source;
      if (loading > 0) await sleep(loading);
      if (fails) throw new Error('the database is down');
      return { key, value };
    },
  };
  return source;
}

/**
 * How something is said to a cache; `undefined` where it cannot be.
 *
 * @typedef {(cache: Source) => (() => unknown) | undefined} Saying
 */

/** @type {Saying} */
const deleting = ({ delete: remove }) => remove && (() => remove('k'));
/** @type {Saying} */
const setting = ({ set }) => set && (() => set('k', { key: 'k', value: 'set' }));

/**
 * A load that is half-way, in a cache to which something can be said; `undefined` where it cannot.
 *
 * @param {Open} open
 * @param {Partial<Options>} options
 * @param {Saying} saying
 */
async function halfWay(open, options, saying) {
  const source = sourceOf();
  const cache = open({ ...options, load: source.load });
  const say = saying(cache);
  if (say === undefined) return undefined;
  const first = outcomeOf(cache.get('k'));
  await sleep(HALF_WAY);
  return { cache, first, say, source };
}

/**
 * A cache whose value has gone stale within a window; `undefined` where it has none of the kind.
 *
 * @param {Open} open
 * @param {'staleWhileRevalidate' | 'staleIfError'} window
 */
async function staleIn(open, window) {
  const source = sourceOf();
  const cache = open({ load: source.load, ttl: SHORT_TTL, [window]: TTL });
  if (!cache.has.includes(window)) return undefined;
  await cache.get('k');
  await sleep(OVER);
  return { cache, source };
}

/**
 * Whether a load is kept during which the source changes and something says so.
 *
 * @param {Open} open
 * @param {Partial<Options>} options
 * @param {Saying} saying
 */
async function overtaken(open, options, saying) {
  const begun = await halfWay(open, options, saying);
  if (begun === undefined) return NOTHING;
  const { cache, first, say, source } = begun;
  source.value = 'new';
  await say();
  await first;
  const { value } = await outcomeOf(cache.get('k'));
  return value?.value === 'new' ? 'not kept' : 'kept';
}

/** @param {PromiseLike<any>} promise @returns {Promise<{ failed: boolean, value?: any }>} */
const outcomeOf = (promise) =>
  Promise.resolve(promise).then(
    (value) => ({ failed: false, value }),
    () => ({ failed: true }),
  );

/** @param {() => Promise<string>} task */
async function withoutRejections(task) {
  let rejections = 0;
  const count = () => void rejections++;
  process.on('unhandledRejection', count);
  const found = await task();
  await sleep(0);
  process.off('unhandledRejection', count);
  return rejections > 0 ? 'unhandled rejection' : found;
}
