import { deferred, settle } from '../test/deferred.js';
import { InOrder } from './in-order.js';

describe('InOrder', () => {
  it('sends at once what waits for nothing', () => {
    const sent: string[] = [];
    void new InOrder().run('k', undefined, async () => {
      sent.push('a');
    });
    expect(sent).toEqual(['a']);
  });

  it('sends later what was asked later, though it need not wait itself', async () => {
    const order = new InOrder();
    const sent: string[] = [];
    const first = deferred<string>();
    const send = (what: string) => async (): Promise<string> => {
      sent.push(what);
      return what;
    };
    const a = order.run('k', first.promise, async (given) => send(`a ${given ?? ''}`)());
    const b = order.run('k', undefined, send('b'));
    void order.run('other', undefined, send('c'));
    const waiting = order.sent(['k', 'other']);
    await settle();
    expect(sent).toEqual(['c']);
    first.resolve('now');
    await waiting;
    expect(sent).toEqual(['c', 'a now', 'b']);
    expect(await Promise.all([a, b])).toEqual(['a now', 'b']);
    expect(order.sent(['k'])).toBeUndefined();
  });

  it('does not wait for the answer of what was sent before', async () => {
    const order = new InOrder();
    const never = new Promise<void>(() => undefined);
    void order.run('k', Promise.resolve(), () => never);
    expect(await order.run('k', undefined, async () => 'sent')).toBe('sent');
  });

  it('waits for the answer where what was sent may be overtaken', async () => {
    const order = new InOrder(true);
    const answer = deferred<string>();
    const sent: string[] = [];
    const a = order.run('k', undefined, () => (sent.push('a'), answer.promise));
    const b = order.run('k', undefined, async () => (sent.push('b'), 'b'));
    const read = order.sent(['k'])?.then(() => sent.push('read'));
    await settle();
    expect(sent).toEqual(['a']);
    answer.reject(new Error('no'));
    await expect(a).rejects.toThrow('no');
    expect(await b).toBe('b');
    await read;
    expect(sent).toEqual(['a', 'b', 'read']);
    expect(order.isIdle).toBe(true);
  });

  it('goes on where something could not be sent', async () => {
    const order = new InOrder();
    const failing = order.run('k', Promise.reject(new Error('no')), async () => 'a');
    const next = order.run('k', undefined, async () => 'b');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('b');
  });
});
