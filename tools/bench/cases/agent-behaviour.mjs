import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleOf } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { SUBJECT } from '../lib/jobs.mjs';
import { startServer } from '../lib/redis.mjs';

/** Milliseconds. */
const SLOW_READ = 40;
const WRITE_BEGINS = 10;
const UNTIL_STORED = 100;

/** @type {AsyncLocalStorage<string>} */
const users = new AsyncLocalStorage();
const currentUser = () => users.getStore() ?? '';

/** @typedef {[tool: string, input?: object][][]} Steps */
/** @typedef {Record<string, { effect: 'read' | 'mutate', resource?: string }>} Effects */

/**
 * Somebody's service with its tools wrapped once, and agents that run in it.
 *
 * @typedef {object} Service
 * @property {(steps: Steps, user?: string) => Promise<any[]>} run
 * @property {() => unknown} close
 *
 * @typedef {(tools: Record<string, (input: any) => unknown>, effects?: Effects, port?: number) => Promise<Service>} OpenService
 *
 * @typedef {object} Question
 * @property {string} name
 * @property {readonly string[]} [words] for 0, 1 …
 * @property {number} expected of ours
 * @property {(open: OpenService, port: number) => Promise<number>} ask
 */

/** @type {readonly Question[]} */
const questions = [
  {
    name: '10 identical calls at once: runs',
    expected: 1,
    async ask(open) {
      let runs = 0;
      const search = async () => {
        runs++;
        await sleep(5);
        return 'found';
      };
      const service = await open({ search });
      await service.run([Array.from({ length: 10 }, () => ['search', { query: 'cats' }])]);
      return runs;
    },
  },
  {
    name: '`{a:"1"}`, then `{a:1}`',
    words: ['right', 'mixed'],
    expected: 0,
    ask: (open) => areMixed(open, [{ a: '1' }, { a: 1 }]),
  },
  {
    name: '`{a:"1,b:2"}`, then `{a:"1",b:2}`',
    words: ['right', 'mixed'],
    expected: 0,
    ask: (open) => areMixed(open, [{ a: '1,b:2' }, { a: '1', b: 2 }]),
  },
  {
    name: 'two tools asked the same, in memory',
    words: ['right', 'mixed'],
    expected: 0,
    async ask(open) {
      const service = await open({ weather: () => 'rain', news: () => 'none' });
      const answers = await service.run([
        [['weather', { city: 'Oslo' }]],
        [['news', { city: 'Oslo' }]],
      ]);
      return answers.join() === 'rain,none' ? 0 : 1;
    },
  },
  {
    name: 'two tools asked the same, on one Redis',
    words: ['right', 'mixed'],
    expected: 0,
    async ask(open, port) {
      const one = await open({ weather: () => 'rain' }, undefined, port);
      const other = await open({ news: () => 'none' }, undefined, port);
      const [weather] = await one.run([[['weather', { city: 'Oslo' }]]]);
      await sleep(UNTIL_STORED);
      const [news] = await other.run([[['news', { city: 'Oslo' }]]]);
      await one.close();
      await other.close();
      return weather === 'rain' && news === 'none' ? 0 : 1;
    },
  },
  {
    name: 'one tool in two services on one Redis',
    words: ['did not run', 'ran once', 'ran twice'],
    expected: 1,
    async ask(open, port) {
      let runs = 0;
      const tools = { population: () => ++runs };
      const one = await open(tools, undefined, port);
      const other = await open(tools, undefined, port);
      await one.run([[['population', { city: 'Bergen' }]]]);
      await sleep(UNTIL_STORED);
      await other.run([[['population', { city: 'Bergen' }]]]);
      await one.close();
      await other.close();
      return runs;
    },
  },
  {
    name: 'a read after a write',
    words: ['fresh', 'stale'],
    expected: 0,
    async ask(open) {
      /** @type {string[]} */
      const cart = [];
      const tools = { getCart: () => [...cart], addToCart: () => cart.push('tea') };
      const service = await open(tools, cartEffects);
      const answers = await service.run([[['getCart']], [['addToCart']], [['getCart']]]);
      return answers[2].length === 1 ? 0 : 1;
    },
  },
  {
    name: 'a read after a write during another read',
    words: ['fresh', 'stale'],
    expected: 0,
    async ask(open) {
      /** @type {string[]} */
      const cart = [];
      const getCart = async () => {
        const answer = [...cart];
        await sleep(SLOW_READ);
        return answer;
      };
      const addToCart = async () => {
        await sleep(WRITE_BEGINS);
        return cart.push('tea');
      };
      const service = await open({ getCart, addToCart }, cartEffects);
      const answers = await service.run([[['getCart'], ['addToCart']], [['getCart']]]);
      return answers[2].length === 1 ? 0 : 1;
    },
  },
  {
    name: 'a call after a thrown error',
    words: ['ran again', 'cached'],
    expected: 0,
    ask: (open) =>
      isKept(open, () => {
        throw new Error('no connection');
      }),
  },
  {
    name: 'a call after `{ isError: true }`',
    words: ['ran again', 'cached'],
    expected: 0,
    ask: (open) => isKept(open, () => ({ isError: true, content: [] })),
  },
  {
    name: 'two users of a tool that knows who asks',
    words: ['apart', 'shared'],
    expected: 0,
    async ask(open) {
      const service = await open({ myOrders: () => `orders of ${currentUser()}` });
      const answers = [
        ...(await service.run([[['myOrders']]], 'ann')),
        ...(await service.run([[['myOrders']]], 'ben')),
      ];
      return answers.join() === 'orders of ann,orders of ben' ? 0 : 1;
    },
  },
];

/** @type {Effects} */
const cartEffects = {
  getCart: { effect: 'read', resource: 'cart' },
  addToCart: { effect: 'mutate', resource: 'cart' },
};

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const figures = questions.map(({ name, words }) => ({ name, unit: '', ...(words && { words }) }));

/** @type {import('../lib/case.mjs').Case} */
export const agentBehaviour = {
  name: 'agent-behaviour',
  about:
    'what agents of `generateText` are answered, whose tools are cached: how often the tool runs for 10 identical calls of one step; whether `{a:"1"}` and then `{a:1}`, `{a:"1,b:2"}` and then `{a:"1",b:2}`, and two tools that are asked the same get answers of their own; whether a second service, with a connection of its own, finds in Redis what the first put there; whether a read that follows a write sees it, also when another read ran meanwhile; whether a failure is answered again; whether two users get answers of their own from a tool that looks who asks; first column without a cache',
  baseline: 'bare',
  needs: 'wrapTools',
  redis: true,
  unit: '',
  figures,
  down: true,
  alone: true,
  runs: () => 1,
  variants: () => [{ label: 'ai', peers: ['ai-sdk-tools', 'ai-sdk-tools-options'] }],
  async measure([name]) {
    const { openToolSet } = await contestant(name);
    const { runAgent, toolOf } = await import('../lib/agent-run.mjs');
    const { port } = await startServer();
    /** @type {OpenService} */
    const open = async (functions, effects, redisPort) => {
      const names = Object.keys(functions);
      const tools = Object.fromEntries(names.map((key) => [key, toolOf(functions[key])]));
      const opened = await openToolSet(tools, {
        effects: effects ?? Object.fromEntries(names.map((key) => [key, { effect: 'read' }])),
        currentUser,
        ...(redisPort !== undefined && { port: redisPort }),
      });
      return {
        run: (steps, user = 'ann') =>
          users.run(user, () => opened.as(user, () => runAgent(opened.tools, steps))),
        close: opened.close,
      };
    };
    /** @type {import('../lib/case.mjs').Samples} */
    const samples = {};
    for (const [at, { ask, expected, name: asked, words }] of questions.entries()) {
      const found = await ask(open, port);
      if (name === SUBJECT && found !== expected) {
        throw new Error(
          `${asked}: ${words?.[found] ?? found}, not ${words?.[expected] ?? expected}`,
        );
      }
      samples[sampleOf(name, figures[at])] = [found];
    }
    return samples;
  },
};

/**
 * Whether two inputs share one answer.
 *
 * @param {OpenService} open
 * @param {[object, object]} inputs
 */
async function areMixed(open, inputs) {
  const service = await open({ echo: (/** @type {object} */ input) => JSON.stringify(input) });
  const answers = await service.run(inputs.map((input) => [['echo', input]]));
  return inputs.every((input, at) => answers[at] === JSON.stringify(input)) ? 0 : 1;
}

/**
 * Whether a tool that first fails in that way and then works is not asked again.
 *
 * @param {OpenService} open
 * @param {() => unknown} fail
 */
async function isKept(open, fail) {
  let runs = 0;
  const service = await open({ search: () => (++runs === 1 ? fail() : 'found') });
  await service.run([[['search']], [['search']]]);
  return runs === 2 ? 0 : 1;
}
