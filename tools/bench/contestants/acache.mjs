/** The subject, used as anyone would; ACACHE_BENCH_SUBJECT names the module that exports it. */
const { AsyncCache, createAgentCache, DataLoader, filePersistence, makeKey, redisTier, wrapTools } =
  await import(process.env.ACACHE_BENCH_SUBJECT ?? '');

/** @type {import('../lib/contestant.mjs').Open} */
export const open = (options) => openCache(options);

/**
 * @param {import('../lib/contestant.mjs').OpenOptions} options
 * @param {'tinylfu'} [policy]
 * @returns {import('../lib/contestant.mjs').Contestant}
 */
export function openCache({ maxSize, ttl, loader }, policy) {
  const cache = new AsyncCache({ maxSize, ttl, ...(policy && { policy }) });
  return {
    get: (key) => cache.get(key, loader),
    peek: (key) => cache.peek(key),
    set: (key, value) => cache.set(key, value),
    size: () => cache.size,
  };
}

/** @type {import('../lib/contestant.mjs').OpenTier} */
export const openTier = async ({ port, maxSize, ttl, loader }) => {
  const tier = redisTier({ port });
  const cache = new AsyncCache({ name: 'bench', maxSize, ttl, tier });
  await cache.ready;
  const loadMany = (/** @type {readonly string[]} */ keys) => Promise.all(keys.map(loader));
  return {
    get: (key) => cache.get(key, loader),
    getMany: (keys) => cache.getMany(keys, loadMany),
    isWell: () => tier.getMetrics().coherent,
  };
};

/** @type {import('../lib/contestant.mjs').OpenLoader} */
export const openLoader = (loadMany, keep) =>
  new DataLoader(loadMany, keep ? undefined : { cache: false });

/** @type {import('../lib/contestant.mjs').OpenStore} */
export const openStore = async (folder, { synced = true } = {}) => {
  const file = `${folder}/cache.acache`;
  const persistence = filePersistence(file, synced ? {} : { fsyncInterval: false });
  const cache = new AsyncCache({ maxSize: null, persistence });
  await cache.ready;
  return {
    set(keys, values) {
      for (let i = 0; i < keys.length; i++) void cache.set(keys[i], values[i]);
    },
    flush: () => cache.flush(),
    get: (key) => cache.get(key, isGone),
    close: () => cache.close(),
    file,
  };
};

/** @type {import('../lib/contestant.mjs').Restoring} */
export const restoring = (folder) => async () => {
  const persistence = filePersistence(`${folder}/cache.acache`);
  const cache = new AsyncCache({ maxSize: null, persistence });
  await cache.ready;
  return { size: cache.size, get: (key) => cache.get(key, isGone), lazy: true };
};

/** The loader of what must not be loaded. @param {string} key */
const isGone = (key) => {
  throw new Error(`${key} was not restored`);
};

/** @param {unknown[]} args */
export const encode = (args) => makeKey('user', args);

/**
 * A session that lasts for all the calls, so that none of its limits may end it.
 *
 * @type {import('../lib/contestant.mjs').OpenCalls}
 */
export const openCalls = (options) =>
  openAgentCalls(options, {
    maxToolRepeats: Infinity,
    maxExecutionDepth: Infinity,
    maxStagnantCalls: Infinity,
  });

/**
 * @param {Parameters<import('../lib/contestant.mjs').OpenCalls>[0]} options
 * @param {object} watching options of the session
 * @returns {import('../lib/contestant.mjs').Calls}
 */
export function openAgentCalls({ effect, sdk, load }, watching) {
  const agents = createAgentCache();
  const session = agents.session(watching);
  const name = 'get_user';
  const resource = effect === 'guard' ? undefined : sdk ? 'user:{key}' : 'user:{0}';
  let call;
  if (sdk) {
    const tool = { execute: (/** @type {{ key: string }} */ { key }) => load(key) };
    const tools = wrapTools({ [name]: tool }, { policies: { [name]: { effect, resource } } });
    const options = { toolCallId: '1', messages: [], context: undefined };
    call = (/** @type {string} */ key) => tools[name].execute({ key }, options);
  } else {
    call = agents[effect]({ name, resource }, load);
  }
  return { call, within: (work) => session.run(work) };
}

/** @type {import('../lib/contestant.mjs').OpenToolSet} */
export const openToolSet = async (tools, { effects, port }) => {
  const tier = port === undefined ? undefined : redisTier({ port });
  const cache = new AsyncCache({ name: 'agents', ...(tier && { tier }) });
  await cache.ready;
  const agents = createAgentCache({ cache });
  const sessions = new Map();
  return {
    tools: wrapTools(tools, { runtime: agents, policies: effects }),
    as(user, work) {
      if (!sessions.has(user)) sessions.set(user, agents.session({ id: user }));
      return sessions.get(user).run(work);
    },
    close: () => cache.close(),
  };
};

/** @type {import('../lib/contestant.mjs').OpenSource} */

export const openSource = ({ load, loadMany, tag, leaving: _, ...options }) => {
  const cache = new AsyncCache(options);
  const loader = (/** @type {string} */ key, /** @type {{ signal: AbortSignal }} */ { signal }) =>
    load(key, signal);
  return {
    get: (key, signal) => cache.get(key, { loader, signal, tags: tag === undefined ? [] : [tag] }),
    getMany: (keys) => cache.getMany(keys, loadMany),
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
    invalidateTag: (name) => cache.invalidateTags(name),
    has: ['staleWhileRevalidate', 'staleIfError', 'timeout', 'signal'],
  };
};
