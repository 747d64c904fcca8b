import { deferred, settle } from '../test/deferred.js';
import { beginningOf, PLACEHOLDER } from './beginning.js';
import type { Commands } from './commands.js';
import { OwnWrites } from './own-writes.js';

const placeholder = (id: Buffer): Buffer => beginningOf(PLACEHOLDER, id);
const [mine, theirs] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];

function setUp() {
  const heads = new Map<string, Buffer | Error>();
  const foreign: string[] = [];
  const touched: string[] = [];
  const fleeting: string[] = [];
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
    fleeting: (keys) => fleeting.push(...keys),
  });
  /** Those that are foreign at once. */
  const heardOf = (keys: readonly string[], isEcho = true): readonly string[] => {
    const before = foreign.length;
    ownWrites.heardOf(keys, isEcho);
    return foreign.slice(before);
  };
  return { heads, foreign, touched, fleeting, state, ownWrites, heardOf };
}

describe('OwnWrites', () => {
  it('takes keys that it never wrote for changed by others', () => {
    const { ownWrites, heardOf } = setUp();
    expect(heardOf(['k'])).toEqual(['k']);
    ownWrites.wrote('other', mine);
    expect(heardOf(['k'])).toEqual(['k']);
  });

  it('knows the echoes of its own writes, one for each', async () => {
    const { ownWrites, heads, foreign, heardOf } = setUp();
    ownWrites.wrote('k', theirs);
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    for (let times = 0; times < 2; times++) {
      expect(heardOf(['k'])).toEqual([]);
      await settle();
    }
    expect(foreign).toEqual([]);
  });

  it('says that memory may hold something older when it has heard its echo, and looks', async () => {
    const { ownWrites, heads, foreign, touched, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    heardOf(['k']);
    await settle();
    expect(heardOf(['k'])).toEqual([]);
    expect(touched).toEqual(['k']);
    await settle();
    expect(foreign).toEqual([]);
    heads.set('k', placeholder(theirs));
    heardOf(['k']);
    await settle();
    expect(foreign).toEqual(['k']);
  });

  it('lets what it writes stand though the news of an older write come late', async () => {
    const { ownWrites, heads, foreign, touched, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    expect(heardOf(['k'], false)).toEqual([]);
    expect(touched).toEqual(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('takes a removal for foreign when it has heard the echo of its own', async () => {
    const { ownWrites, heardOf } = setUp();
    ownWrites.wrote('k', 'nothing');
    heardOf(['k']);
    await settle();
    expect(heardOf(['k'])).toEqual(['k']);
  });

  it('expects another echo of what it takes back', async () => {
    const { ownWrites, heads, foreign, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    heardOf(['k']);
    await settle();
    ownWrites.tookBack('k', mine);
    heads.delete('k');
    expect(heardOf(['k'])).toEqual([]);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('knows the echo of its own removal', async () => {
    const { ownWrites, foreign, heardOf } = setUp();
    ownWrites.wrote('k', 'nothing');
    heardOf(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('says of the echo of its removal that it may be another one as well', async () => {
    const { ownWrites, fleeting, heardOf } = setUp();
    ownWrites.wrote('written', mine);
    ownWrites.wrote('removed', 'nothing');
    heardOf(['written', 'removed']);
    expect(fleeting).toEqual(['removed']);
    await settle();
  });

  it('finds what others did after it: another write, a removal', async () => {
    const { ownWrites, heads, foreign, heardOf } = setUp();
    ownWrites.wrote('written', mine);
    ownWrites.wrote('removed', mine);
    heads.set('written', placeholder(theirs));
    heardOf(['written', 'removed']);
    await settle();
    expect(foreign).toEqual(['written', 'removed']);
  });

  it('takes a removal for foreign that came after its own removal and its own write', async () => {
    const { ownWrites, foreign, heardOf } = setUp();
    ownWrites.wrote('k', 'nothing');
    ownWrites.wrote('k', mine);
    heardOf(['k']);
    await settle();
    expect(foreign).toEqual(['k']);
  });

  it('looks at what was last written when it looked, not at what was written since', async () => {
    const { ownWrites, heads, foreign, state, heardOf } = setUp();
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    ownWrites.wrote('k', mine);
    heads.set('k', placeholder(mine));
    heardOf(['k']);
    await settle();
    ownWrites.wrote('k', theirs);
    gate.resolve(undefined);
    await settle();
    expect(foreign).toEqual([]);
    heads.set('k', placeholder(theirs));
    heardOf(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });

  it('takes a key for changed by others when it cannot look', async () => {
    const { ownWrites, heads, foreign, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    heads.set('k', new Error('down'));
    heardOf(['k']);
    await settle();
    expect(foreign).toEqual(['k']);
  });

  it('looks at all that was heard of at once in one go', async () => {
    const { ownWrites, state, heardOf } = setUp();
    for (const key of ['a', 'b', 'c']) {
      ownWrites.wrote(key, 'nothing');
      heardOf([key]);
    }
    await settle();
    expect(state.looks).toBe(1);
  });

  it('forgets a write that did not happen', () => {
    const { ownWrites, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    ownWrites.correct('k', theirs, undefined);
    expect(heardOf(['k'])).toEqual([]);
    ownWrites.correct('k', mine, undefined);
    expect(heardOf(['k'])).toEqual(['k']);
  });

  it('takes a removal for foreign after it has seen what another process put', async () => {
    const { ownWrites, foreign, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    ownWrites.wrote('k', 'nothing');
    ownWrites.saw('k', { id: theirs });
    expect(heardOf(['k'])).toEqual(['k']);
    ownWrites.wrote('looked at', 'nothing');
    heardOf(['looked at']);
    ownWrites.saw('looked at', { id: theirs });
    await settle();
    expect(foreign).toEqual(['k', 'looked at']);
  });

  it('says of what it only touched that memory may hold something older', async () => {
    const { ownWrites, heads, foreign, touched, heardOf } = setUp();
    ownWrites.still('k', theirs);
    heads.set('k', placeholder(theirs));
    heardOf(['k']);
    await settle();
    expect([foreign, touched]).toEqual([[], ['k']]);
  });

  it('leaves a later write alone when it says what still stands', async () => {
    const { ownWrites, heads, foreign, heardOf } = setUp();
    ownWrites.wrote('k', mine);
    ownWrites.still('k', theirs);
    heads.set('k', placeholder(mine));
    heardOf(['k']);
    await settle();
    expect(foreign).toEqual([]);
  });
});
