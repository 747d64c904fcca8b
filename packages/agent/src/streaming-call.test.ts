import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
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

  it.each(['a session that goes on', 'a session that has ended'])(
    'whose consumer stops in it, in %s, keeps nobody waiting',
    async (which) => {
      const { log, read } = pages();
      const get = runtime.read({ name: 'get', scope: 'global' }, read);
      const stopped = session.bind(get)('a');
      expect(await stopped.next()).toMatchObject({ value: { text: 'a one' } });
      if (which.endsWith('ended')) await session.end();
      expect(await all(runtime.session().bind(get)('a'))).toEqual([{ text: 'a three' }]);
      expect(log).toEqual(['begin', 'one', 'two', 'three', 'done', 'end']);
      // What it has not taken yet is there for it.
      expect(await all(stopped)).toEqual([{ text: 'a two' }, { text: 'a three' }]);
    },
  );

  it('whose consumer asks for the same in its own loop does not wait for itself', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    const seen: string[] = [];
    await session.run(async () => {
      for await (const { text } of get('a')) {
        seen.push(text);
        for await (const inner of get('a')) seen.push(`- ${inner.text}`);
      }
    });
    expect(seen.filter((text) => !text.startsWith('-'))).toEqual(['a one', 'a two', 'a three']);
    expect(seen.filter((text) => text.startsWith('-'))).toEqual(Array(3).fill('- a three'));
    expect(log.filter((entry) => entry === 'begin')).toHaveLength(1);
  });

  it('keeps to the pace of each consumer where a change came in between: they share nothing', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    await session.run(async () => {
      const [early, late] = [get('a'), get('a')];
      await early.next();
      await runtime.invalidate('x');
      await late.next();
      await settle();
      expect(log).toEqual(['begin', 'one', 'begin', 'one']);
      await Promise.all([all(early), all(late)]);
    });
  });

  it('that fails while it is ahead of its consumer says so after what it yielded', async () => {
    const error = new Error('cut');
    const get = runtime.read({ name: 'get' }, async function* () {
      yield 1;
      yield 2;
      throw error;
    });
    await session.run(async () => {
      const slow = get();
      await slow.next();
      await expect(all(get())).rejects.toBe(error);
      expect(await slow.next()).toMatchObject({ value: 2 });
      await expect(slow.next()).rejects.toBe(error);
    });
  });

  it('that is ahead of its consumer goes on for others when that leaves, by return or signal', async () => {
    const { read } = pages();
    const tool = runtime.tool({ name: 'tool', effect: 'read' });
    const stream = (name: string, signal?: AbortSignal) =>
      tool.stream([name], () => read(name), { session, signal });
    const leave = new AbortController();
    const reason = new Error('left');
    const [returns, aborts] = [stream('a'), stream('b', leave.signal)];
    await Promise.all([returns.next(), aborts.next()]);
    const others = [all(stream('a')), all(stream('b'))];
    await settle();
    await returns.return(undefined);
    leave.abort(reason);
    await expect(aborts.next()).rejects.toBe(reason);
    expect(await Promise.all(others)).toEqual([[{ text: 'a three' }], [{ text: 'b three' }]]);
    expect(await all(stream('b'))).toEqual([{ text: 'b three' }]);
  });

  it('is over for one who leaves by a signal with items untaken, though the tool has ended', async () => {
    const { read } = pages();
    const tool = runtime.tool({ name: 'tool', effect: 'read' });
    const leave = new AbortController();
    const slow = tool.stream(['a'], () => read('a'), { session, signal: leave.signal });
    await slow.next();
    await all(tool.stream(['a'], () => read('a'), { session }));
    leave.abort(new Error('left'));
    await expect(slow.next()).rejects.toThrow('left');
    expect(await slow.next()).toEqual({ done: true, value: undefined });
    expect(session.getMetrics()).toMatchObject({ errors: 0, loads: 1 });
  });

  it('yields copies, so that nobody sees what another does to the last item', async () => {
    const own: { list: number[] }[] = [];
    const read = async function* () {
      for (const list of [[1], [1, 2]]) {
        own.push({ list });
        yield own.at(-1)!;
      }
    };
    const get = runtime.read({ name: 'get' }, read);
    const shared = runtime.read({ name: 'shared', clone: false }, read);
    await session.run(async () => {
      const spoil = async (stream: AsyncIterable<{ list: number[] }>) => {
        let last: number[] = [];
        for await (const { list } of stream) {
          last = [...list];
          list.push(99);
        }
        return last;
      };
      const [first, joined] = await Promise.all([spoil(get()), spoil(get())]);
      expect([first, joined, await spoil(get())]).toEqual([
        [1, 2],
        [1, 2],
        [1, 2],
      ]);
      expect(own.map(({ list }) => list)).toEqual([[1], [1, 2]]);
      expect((await all(shared())).at(-1)).toBe(own.at(-1));
    });
  });

  it('that is too slow ends with the stale answer, whatever it has yielded before', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache({ clock, ttl: '1s', staleIfError: '1h', softTimeout: '1s' });
    const on = createAgentCache({ cache });
    const slow = deferred<number>();
    let runs = 0;
    const get = on.read({ name: 'get' }, async function* () {
      yield 'preliminary';
      yield runs++ === 0 ? 'old' : await slow.promise;
    });
    await on.session().run(async () => {
      await all(get());
      await clock.advance(2000);
      const late = all(get());
      await settle();
      await clock.advance(1000);
      expect(await late).toEqual(['preliminary', 'old']);
      slow.resolve(1);
    });
  });

  it('that is left by an error of its consumer is stopped', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      const stream = get('a');
      await stream.next();
      await expect(stream.throw(new Error('mine'))).rejects.toThrow('mine');
      expect(log).toEqual(['begin', 'one', 'end']);
      get('never begun');
      await settle();
      expect(log).toEqual(['begin', 'one', 'end']);
    });
  });

  it('that a change overlaps is not stored', async () => {
    const { log, read } = pages();
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => 1);
    await session.run(async () => {
      const stream = get('a');
      await stream.next();
      await set();
      expect(await all(stream)).toHaveLength(2);
      expect(await all(get('a'))).toHaveLength(3);
    });
    expect(log.filter((entry) => entry === 'begin')).toHaveLength(2);
  });

  it('that runs when its session ends comes to its end, and is not stored', async () => {
    const { read } = pages();
    const get = runtime.read({ name: 'get' }, read);
    const stream = session.bind(get)('a');
    await stream.next();
    await session.end();
    expect(await all(stream)).toEqual([{ text: 'a two' }, { text: 'a three' }]);
    const again = runtime.session({ id: session.id });
    expect(await again.run(() => all(get('a')))).toHaveLength(3);
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

  it('is over when it is left while its next item is pending, and what that wrote is seen', async () => {
    const slow = deferred<number>();
    let version = 0;
    const get = runtime.read({ name: 'get', resource: 'x' }, async () => version);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async function* () {
      yield 1;
      version = await slow.promise;
      yield 2;
    });
    await session.run(async () => {
      const stream = set();
      await stream.next();
      const pending = stream.next();
      const left = stream.return(undefined);
      await settle();
      expect(await get()).toBe(0);
      slow.resolve(1);
      await pending;
      await left;
      expect([await get(), await get()]).toEqual([1, 1]);
    });
    expect(session.getMetrics()).toMatchObject({ invalidations: 1, hits: 1 });
  });

  it('is short-circuited by what it yielded last, not by what became of that', async () => {
    const set = runtime.mutate({ name: 'set' }, async function* () {
      yield { list: [1] };
    });
    await runtime.session({ maxToolRepeats: 1, onLoop: 'short-circuit' }).run(async () => {
      for (let at = 0; at < 3; at++) {
        for await (const { list } of set()) {
          expect(list).toEqual([1]);
          list.push(99);
        }
      }
    });
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
