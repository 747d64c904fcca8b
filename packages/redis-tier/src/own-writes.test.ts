import { deferred, settle } from '../test/deferred.js';
import type { Commands } from './commands.js';
import { placeholder } from './envelope.js';
import { OwnWrites } from './own-writes.js';

const [mine, theirs] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];

function setUp() {
  const heads = new Map<string, Buffer | Error>();
  const foreign: string[] = [];
  const touched: string[] = [];
  const state = { gate: Promise.resolve() as Promise<unknown>, looks: 0 };
  const commands = {
    heads: async (keys: readonly string[]) => {
      state.looks++;
      const found = keys.map((key) => heads.get(key) ?? Buffer.alloc(0));
      await state.gate;
      return found;
    },
  } as unknown as Commands;
  const ownWrites = new OwnWrites(commands, {
    foreign: (keys) => foreign.push(...keys),
    touched: (keys) => touched.push(...keys),
  });
  return { heads, foreign, touched, state, ownWrites };
}

describe('OwnWrites', () => {
  it('takes keys that it never wrote for changed by others', () => {
    const { ownWrites } = setUp();
    expect(ownWrites.foreignAmong(['k'])).toEqual(['k']);
    ownWrites.wrote('other', mine);
    expect(ownWrites.foreignAmong(['k'])).toEqual(['k']);
  });

  it('knows the echoes of its own writes, one for each', async () => {
    const { ownWrites, heads, foreign } = setUp();
    ownWrites.wrote('k', theirs);
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    for (let times = 0; times < 2; times++) {
      expect(ownWrites.foreignAmong(['k'])).toEqual([]);
      await settle();
    }
    expect(foreign).toEqual([]);
  });

  it('knows at once that others changed what it wrote, when it has heard its own echo', async () => {
    const { ownWrites, heads } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    ownWrites.foreignAmong(['k']);
    await settle();
    expect(ownWrites.foreignAmong(['k'])).toEqual(['k']);
  });

  it('expects another echo of what it takes back', async () => {
    const { ownWrites, heads, foreign } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    ownWrites.foreignAmong(['k']);
    await settle();
    ownWrites.tookBack('k', mine);
    heads.delete('k');
    expect(ownWrites.foreignAmong(['k'])).toEqual([]);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('knows the echo of its own removal', async () => {
    const { ownWrites, foreign } = setUp();
    ownWrites.wrote('k', 'nothing');
    ownWrites.foreignAmong(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('finds what others did after it: another write, a removal', async () => {
    const { ownWrites, heads, foreign } = setUp();
    ownWrites.wrote('written', mine);
    ownWrites.wrote('removed', mine);
    heads.set('written', placeholder(theirs));
    ownWrites.foreignAmong(['written', 'removed']);
    await settle();
    expect(foreign).toEqual(['written', 'removed']);
  });

  it('takes a removal for foreign that came after its own removal and its own write', async () => {
    const { ownWrites, foreign } = setUp();
    ownWrites.wrote('k', 'nothing');
    ownWrites.wrote('k', mine);
    ownWrites.foreignAmong(['k']);
    await settle();
    expect(foreign).toEqual(['k']);
  });

  it('looks at what was last written when it looked, not at what was written since', async () => {
    const { ownWrites, heads, foreign, state } = setUp();
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    ownWrites.foreignAmong(['k']);
    await settle();
    ownWrites.wrote('k', theirs);
    gate.resolve(undefined);
    await settle();
    expect(foreign).toEqual([]);
    heads.set('k', placeholder(theirs));
    ownWrites.foreignAmong(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('takes a key for changed by others when it cannot look', async () => {
    const { ownWrites, heads, foreign } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', new Error('down'));
    ownWrites.foreignAmong(['k']);
    await settle();
    expect(foreign).toEqual(['k']);
  });

  it('looks at all that was heard of at once in one go', async () => {
    const { ownWrites, state } = setUp();
    for (const key of ['a', 'b', 'c']) {
      ownWrites.wrote(key, 'nothing');
      ownWrites.foreignAmong([key]);
    }
    await settle();
    expect(state.looks).toBe(1);
  });

  it('forgets a write that did not happen', () => {
    const { ownWrites } = setUp();
    ownWrites.wrote('k', mine);
    ownWrites.correct('k', theirs, undefined);
    expect(ownWrites.foreignAmong(['k'])).toEqual([]);
    ownWrites.correct('k', mine, undefined);
    expect(ownWrites.foreignAmong(['k'])).toEqual(['k']);
  });

  it('takes a removal for foreign after it has seen what another process put', async () => {
    const { ownWrites, foreign } = setUp();
    ownWrites.wrote('k', mine);
    ownWrites.wrote('k', 'nothing');
    ownWrites.saw('k', { id: theirs });
    expect(ownWrites.foreignAmong(['k'])).toEqual(['k']);
    ownWrites.wrote('looked at', 'nothing');
    ownWrites.foreignAmong(['looked at']);
    ownWrites.saw('looked at', { id: theirs });
    await settle();
    expect(foreign).toEqual(['looked at']);
  });

  it('says of what it only touched that memory may hold something older', async () => {
    const { ownWrites, heads, foreign, touched } = setUp();
    ownWrites.still('k', theirs);
    heads.set('k', placeholder(theirs));
    ownWrites.foreignAmong(['k']);
    await settle();
    expect([foreign, touched]).toEqual([[], ['k']]);
  });

  it('leaves a later write alone when it says what still stands', async () => {
    const { ownWrites, heads, foreign } = setUp();
    ownWrites.wrote('k', mine);
    ownWrites.still('k', theirs);
    heads.set('k', placeholder(mine));
    ownWrites.foreignAmong(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });
});
