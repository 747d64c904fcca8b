import { deferred, settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted } from '../test/counted.js';
import { createAgentCache } from './index.js';
import { PARTS, type RuntimeParts } from './runtime-parts.js';

failOnUnhandledRejections();

const runtime = createAgentCache();
const session = runtime.session({ loopDetection: false });
const { reads } = (runtime as unknown as { readonly [PARTS]: RuntimeParts })[PARTS];

afterEach(() => expect(reads.idle).toBe(true));

/** Tools that ask for each other in a ring, all at the same time. */
function ring(name: string, size: number, on = [runtime]) {
  const asked = deferred<undefined>();
  const tools: (() => Promise<string>)[] = Array.from({ length: size }, (_, at) => {
    let runs = 0;
    const ask = counted(async (): Promise<string> => {
      const isFirst = runs++ === 0;
      await asked.promise;
      return isFirst ? `${at} ${await tools[(at + 1) % size]!()}` : `${at}`;
    });
    return on[at % on.length]!.read({ name: `${name} ${at}` }, ask);
  });
  return {
    ask: () => Promise.all(tools.map((tool) => tool())),
    go: () => asked.resolve(undefined),
  };
}

describe('reads that ask for each other at the same time', () => {
  it.each([2, 3, 5])('come to an end, %i of them', async (size) => {
    const { ask, go } = ring(`ring of ${size}`, size);
    const answers = session.run(ask);
    await settle();
    go();
    // One of them ran once more, since to wait would have been to wait for itself.
    expect((await answers).map((answer) => answer.length)).toContain(2 * size + 1);
  });

  it('on the caches of two runtimes, too', async () => {
    const { ask, go } = ring('two', 2, [runtime, createAgentCache()]);
    const answers = session.run(ask);
    await settle();
    go();
    expect(await answers).toContain('0 1 0');
  });

  it('as streams, too', async () => {
    const begun = deferred<undefined>();
    let runs = 0;
    const stream = (name: string, other: () => AsyncIterable<string>) =>
      runtime.read({ name }, async function* (): AsyncGenerator<string> {
        const isFirst = runs++ < 2;
        yield 'preliminary';
        await begun.promise;
        if (isFirst) for await (const item of other()) yield `${name} ${item}`;
        else yield name;
      });
    const a: () => AsyncIterable<string> = stream('a', () => b());
    const b = stream('b', () => a());
    const last = async (items: AsyncIterable<string>) => {
      let end: string | undefined;
      for await (const item of items) end = item;
      return end;
    };
    const answers = session.run(() => Promise.all([last(a()), last(b())]));
    await settle();
    begun.resolve(undefined);
    expect(await answers).toContain('a b a');
  });
});

it('a read that others ask for is waited for, however many they are', async () => {
  const slow = deferred<number>();
  const read = counted(() => slow.promise);
  const get = runtime.read({ name: 'get' }, read);
  const through = [0, 1, 2].map((at) =>
    runtime.read({ name: `through ${at}` }, async () => (await get()) + (await get())),
  );
  const answers = session.run(() => Promise.all([get(), ...through.map((ask) => ask())]));
  await settle();
  slow.resolve(1);
  expect(await answers).toEqual([1, 2, 2, 2]);
  expect(read.runs).toBe(1);
});

it('one that was left does not keep others from waiting', async () => {
  const slow = deferred<string>();
  const tool = runtime.tool({ name: 'left', effect: 'read' });
  const leave = new AbortController();
  const read = counted(() => slow.promise);
  const back = runtime.read({ name: 'back' }, read);
  const asks = tool.call([], () => back(), { session, signal: leave.signal });
  await settle();
  leave.abort(new Error('left'));
  await expect(asks).rejects.toThrow('left');
  const both = session.run(() => Promise.all([back(), back()]));
  await settle();
  slow.resolve('answer');
  expect(await both).toEqual(['answer', 'answer']);
  expect(read.runs).toBe(1);
  await settle();
});
