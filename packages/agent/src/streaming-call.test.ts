import { deferred, settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from './index.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
let session: AgentCacheSession;

beforeEach(() => {
  runtime = createAgentCache();
  session = runtime.session({ loopDetection: false });
});

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** A tool that yields, and what it went through. */
function pages() {
  const log: string[] = [];
  return {
    log,
    read: async function* (this: void, name: string): AsyncGenerator<{ text: string }> {
      log.push('begin');
      try {
        for (const part of ['one', 'two', 'three']) {
          await settle();
          log.push(part);
          yield { text: `${name} ${part}` };
        }
        log.push('done');
      } finally {
        log.push('end');
      }
    },
  };
}

describe('a read that streams', () => {
  it('yields all, and from the cache its answer alone', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      expect(await all(get('a'))).toEqual([
        { text: 'a one' },
        { text: 'a two' },
        { text: 'a three' },
      ]);
      const answer = await all(get('a'));
      expect(answer).toEqual([{ text: 'a three' }]);
      answer[0]!.text = 'spoilt';
      expect(await all(get('a'))).toEqual([{ text: 'a three' }]);
    });
    expect(log.filter((entry) => entry === 'begin')).toHaveLength(1);
    expect(session.getMetrics()).toMatchObject({ calls: 3, hits: 2, misses: 1, loads: 1 });
  });

  it('goes on as its consumer asks, not before', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      const stream = get('a');
      await settle();
      expect(log).toEqual([]);
      await stream.next();
      await settle();
      expect(log).toEqual(['begin', 'one']);
      await stream.next();
      await settle();
      expect(log).toEqual(['begin', 'one', 'two']);
      expect(await all(stream)).toHaveLength(1);
      expect(log).toEqual(['begin', 'one', 'two', 'three', 'done', 'end']);
    });
  });

  it('gives those who join the answer', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    const [first, second] = await session.run(() => Promise.all([all(get('a')), all(get('a'))]));
    expect(first).toHaveLength(3);
    expect(second).toEqual([{ text: 'a three' }]);
    expect(log.filter((entry) => entry === 'begin')).toHaveLength(1);
    expect(session.getMetrics()).toMatchObject({ joined: 1, loads: 1, misses: 2 });
  });

  it('that is left is stopped, and not stored', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      for await (const { text } of get('a')) {
        expect(text).toBe('a one');
        break;
      }
      expect(log).toEqual(['begin', 'one', 'end']);
      expect(await all(get('a'))).toHaveLength(3);
    });
    expect(session.getMetrics()).toMatchObject({ loads: 2, hits: 0, errors: 0 });
  });

  it('that is left goes on for those who joined', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      const leaving = get('a');
      await leaving.next();
      const joined = all(get('a'));
      await settle();
      await leaving.return(undefined);
      expect(await joined).toEqual([{ text: 'a three' }]);
      expect(await all(get('a'))).toEqual([{ text: 'a three' }]);
    });
    expect(log).toEqual(['begin', 'one', 'two', 'three', 'done', 'end']);
  });

  it('that fails rejects after what it yielded, and is not stored', async () => {
    const error = new Error('cut');
    let runs = 0;
    const get = runtime.read({ name: 'get' }, async function* () {
      yield ++runs;
      if (runs === 1) throw error;
    });
    await session.run(async () => {
      const stream = get();
      expect(await stream.next()).toEqual({ value: 1, done: false });
      await expect(stream.next()).rejects.toBe(error);
      expect(await all(get())).toEqual([2]);
      expect(await all(get())).toEqual([2]);
    });
    expect(session.getMetrics()).toMatchObject({ errors: 1, loads: 2, hits: 1 });
  });

  it('stops when the caller`s signal fires', async () => {
    const { log, read } = pages();
    const tool = runtime.tool({ name: 'tool', effect: 'read' });
    const leave = new AbortController();
    const reason = new Error('left');
    const stream = tool.stream(['a'], () => read('a'), { session, signal: leave.signal });
    await stream.next();
    leave.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
    await settle();
    expect(log).toEqual(['begin', 'one', 'end']);
    const late = tool.stream(['a'], () => read('a'), { session, signal: leave.signal });
    await expect(late.next()).rejects.toBe(reason);
    expect(session.getMetrics()).toMatchObject({ errors: 0, loads: 1 });
  });

  it('tells the tool when nobody waits any more', async () => {
    let inner: AbortSignal | undefined;
    const tool = runtime.tool({ name: 'tool', effect: 'read' });
    const stream = tool.stream(
      [],
      async function* ({ signal }) {
        inner = signal;
        yield 1;
        yield 2;
      },
      { session },
    );
    await stream.next();
    expect(inner?.aborted).toBe(false);
    await stream.return(undefined);
    expect(inner?.aborted).toBe(true);
  });

  it('that yields nothing is not stored, and one that ends with undefined is', async () => {
    let runs = 0;
    const nothing = runtime.read({ name: 'nothing' }, async function* () {
      runs++;
      yield* [];
    });
    const undef = runtime.read({ name: 'undef' }, async function* () {
      runs++;
      yield undefined;
    });
    await session.run(async () => {
      expect([await all(nothing()), await all(nothing())]).toEqual([[], []]);
      expect(runs).toBe(2);
      expect([await all(undef()), await all(undef())]).toEqual([[undefined], [undefined]]);
      expect(runs).toBe(3);
    });
  });

  it('belongs to the session it was asked for in, wherever it is read', async () => {
    const get = runtime.read({ name: 'get', clone: false }, async function* () {
      yield runtime.current();
      await settle();
      yield runtime.current();
    });
    const stream = await session.run(() => get());
    expect(await all(stream)).toEqual([session, session]);
    expect(runtime.current()).toBeUndefined();
  });

  it('runs uncached without a session, and is a stream by its policy as well', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { log, read } = pages();
    const get = runtime.read({ name: 'get', stream: true }, (name: string) => read(name));
    for (let at = 0; at < 2; at++) expect(await all(get('a') as never)).toHaveLength(3);
    expect(log.filter((entry) => entry === 'begin')).toHaveLength(2);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});

describe('a mutation that streams', () => {
  const readsAndWrites = () => {
    let loads = 0;
    const get = runtime.read({ name: 'get', resource: 'x' }, async () => ++loads);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async function* () {
      yield 1;
      yield 2;
    });
    return { get, set };
  };

  it('is over at its end', async () => {
    const { get, set } = readsAndWrites();
    await session.run(async () => {
      await get();
      const stream = set();
      await stream.next();
      expect(await get()).toBe(2);
      expect(await get()).toBe(3);
      expect(await all(stream)).toEqual([2]);
      expect([await get(), await get()]).toEqual([4, 4]);
    });
    expect(session.getMetrics()).toMatchObject({ invalidations: 1, straddled: 2 });
  });

  it('is over when it is left', async () => {
    const { get, set } = readsAndWrites();
    await session.run(async () => {
      const stream = set();
      await stream.next();
      await stream.return(undefined);
      expect([await get(), await get()]).toEqual([1, 1]);
    });
    expect(session.getMetrics()).toMatchObject({ invalidations: 1, errors: 0 });
  });
});

describe('a loop of streams', () => {
  it('is refused with the first item that is asked for', async () => {
    const { log, read } = pages();
    const tool = runtime.guard({ name: 'tool' }, read);
    const watched = runtime.session({ maxToolRepeats: 1 });
    await watched.run(async () => {
      await all(tool('a'));
      await expect(all(tool('a'))).rejects.toMatchObject({ kind: 'repeat' });
    });
    expect(log.filter((entry) => entry === 'begin')).toHaveLength(1);
  });

  it('is answered by one item', async () => {
    const { read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    const run = (onLoop: 'steer' | 'short-circuit') =>
      runtime.session({ maxToolRepeats: 1, onLoop }).run(async () => {
        await all(get('a'));
        return all(get('a'));
      });
    expect(await run('short-circuit')).toEqual([{ text: 'a three' }]);
    expect(await run('steer')).toEqual([expect.stringMatching(/get/)]);
  });
});

it('a stream that nobody waits for any more rejects nowhere', async () => {
  const slow = deferred<number>();
  const get = runtime.read({ name: 'get' }, async function* () {
    yield 1;
    yield await slow.promise;
  });
  await session.run(async () => {
    const stream = get();
    await stream.next();
    const next = stream.next();
    const left = stream.return(undefined);
    slow.reject(new Error('late'));
    await expect(next).rejects.toThrow('late');
    await left;
  });
  await settle();
});
