import { deferred } from '../../../../tools/testing/deferred.js';
import { ServerTools, type ToolPage } from './server-tools.js';

const tools = (...names: string[]) => names.map((name) => ({ name, annotations: {} }));

function serverOf(pages: Record<string, ToolPage>) {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    listTools: async (params?: { cursor?: string }) => {
      asked.push(params?.cursor);
      return pages[params?.cursor ?? '']!;
    },
  };
}

const namesIn = async (all: Promise<ReadonlyMap<string, unknown>>) => [...(await all).keys()];

it('asks for all pages once', async () => {
  const server = serverOf({
    '': { tools: tools('a'), nextCursor: '2' },
    '2': { tools: tools('b') },
  });
  const known = new ServerTools(server);
  expect(await Promise.all([namesIn(known.all()), namesIn(known.all())])).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(await namesIn(known.all())).toEqual(['a', 'b']);
  expect(server.asked).toEqual([undefined, '2']);
});

it('ends where a server names a page twice', async () => {
  const server = serverOf({
    '': { tools: tools('a'), nextCursor: '2' },
    '2': { tools: tools('b'), nextCursor: '2' },
  });
  expect(await namesIn(new ServerTools(server).all())).toEqual(['a', 'b']);
  expect(server.asked).toEqual([undefined, '2']);
});

it('takes what the user was told, where that was all', async () => {
  const server = serverOf({ '': { tools: tools('asked') } });
  const known = new ServerTools(server);
  known.told({ tools: tools('page'), nextCursor: '2' });
  expect(await namesIn(known.all())).toEqual(['asked']);
  known.told({ tools: tools('told') });
  expect(await namesIn(known.all())).toEqual(['told']);
  expect(server.asked).toHaveLength(1);
});

it('asks again after a change, also where that came while it asked, and after a failure', async () => {
  const answers = [deferred<ToolPage>(), deferred<ToolPage>(), deferred<ToolPage>()];
  let asked = 0;
  const known = new ServerTools({ listTools: () => answers[asked++]!.promise });
  const first = known.all();
  known.changed();
  answers[0]!.resolve({ tools: tools('old') });
  expect(await namesIn(first)).toEqual(['old']);
  const second = known.all();
  answers[1]!.reject(new Error('no'));
  await expect(second).rejects.toThrow('no');
  answers[2]!.resolve({ tools: tools('new') });
  expect(await namesIn(known.all())).toEqual(['new']);
  expect([asked, known.changes]).toEqual([3, 1]);
});
