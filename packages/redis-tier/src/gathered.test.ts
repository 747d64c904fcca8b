import { deferred, settle } from '../test/deferred.js';
import { Gathered, type Call } from './gathered.js';

const call = (name: string, size = 1): Call => ({ keys: [name], args: ['x'.repeat(size)] });
const namesOf = (calls: readonly Call[]): string[] => calls.map(({ keys }) => keys[0] as string);

describe('Gathered', () => {
  it('sends what is asked for in one turn in one go, and what comes later by itself', async () => {
    const sent: string[][] = [];
    const gathered = new Gathered(async (calls) => {
      sent.push(namesOf(calls));
      return namesOf(calls).map((name) => `reply to ${name}`);
    });
    const replies = ['a', 'b'].map((name) => gathered.run(call(name)).reply);
    expect(sent).toEqual([]);
    expect(await Promise.all(replies)).toEqual(['reply to a', 'reply to b']);
    expect(await gathered.run(call('c')).reply).toBe('reply to c');
    expect(sent).toEqual([['a', 'b'], ['c']]);
  });

  it('sends a bulk in parts of 250, or of a megabyte, each when the one before is through', async () => {
    const lengths: number[] = [];
    const gate = deferred<undefined>();
    const gathered = new Gathered(async (calls) => {
      lengths.push(calls.length);
      await gate.promise;
      return calls.map(() => 1);
    });
    const runs = Array.from({ length: 251 }, (_, nth) => gathered.run(call(`${nth}`)));
    runs.push(gathered.run(call('large', 900_000)), gathered.run(call('larger', 2_000_000)));
    await settle();
    expect(lengths).toEqual([250]);
    gate.resolve(undefined);
    await Promise.all(runs.map(({ reply }) => reply));
    expect(lengths).toEqual([250, 2, 1]);
  });

  it('tells when each was sent, so that what follows it can be sent', async () => {
    const gate = deferred<undefined>();
    let sendings = 0;
    const gathered = new Gathered(async (calls) => {
      sendings++;
      await gate.promise;
      return calls.map(() => 1);
    });
    const runs = Array.from({ length: 251 }, (_, nth) => gathered.run(call(`${nth}`)));
    const [first, last] = [runs[0]!, runs[250]!];
    const order: string[] = [];
    void first.sent.then(() => order.push(`first, ${sendings}`));
    void last.sent.then(() => order.push(`last, ${sendings}`));
    await settle();
    expect(order).toEqual(['first, 1']);
    gate.resolve(undefined);
    await last.reply;
    expect(order).toEqual(['first, 1', 'last, 2']);
  });

  it('hands the error of one to its caller only, and that of the whole to all', async () => {
    const replies: (readonly unknown[] | Error)[] = [[1, new Error('one')], new Error('all')];
    const gathered = new Gathered(() => {
      const next = replies.shift();
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? []);
    });
    const [a, b] = ['a', 'b'].map((name) => gathered.run(call(name)).reply);
    expect(await a).toBe(1);
    await expect(b).rejects.toThrow('one');
    const [c, d] = ['c', 'd'].map((name) => gathered.run(call(name)).reply);
    await expect(c).rejects.toThrow('all');
    await expect(d).rejects.toThrow('all');
  });
});
