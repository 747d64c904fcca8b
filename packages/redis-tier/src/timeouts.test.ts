import { Timeouts } from './timeouts.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

describe('Timeouts', () => {
  it('hands on what a call brings', async () => {
    const timeouts = new Timeouts(100);
    expect(await timeouts.within(Promise.resolve('v'))).toBe('v');
    await expect(timeouts.within(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('ends calls that are not answered in time, each batch by itself', async () => {
    const timeouts = new Timeouts(100);
    const ended: string[] = [];
    const end = (name: string) => (error: Error) => ended.push(`${name}: ${error.message}`);
    timeouts.within(never()).catch(end('a'));
    await jest.advanceTimersByTimeAsync(60);
    timeouts.within(never()).catch(end('b'));
    await jest.advanceTimersByTimeAsync(60);
    expect(ended).toEqual(['a: Redis does not answer: no answer within 100 ms']);
    await jest.advanceTimersByTimeAsync(60);
    expect(ended).toHaveLength(2);
  });

  it('leaves no timer behind once all are answered', async () => {
    const timeouts = new Timeouts(100);
    await Promise.all([timeouts.within(Promise.resolve(1)), timeouts.within(Promise.resolve(2))]);
    await jest.advanceTimersByTimeAsync(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes an answer that was there when time ran out', async () => {
    const timeouts = new Timeouts(100);
    // Handled in the turn in which the time runs out, after its timers.
    const answer = new Promise<string>((resolve) => {
      setTimeout(() => setImmediate(() => resolve('late')), 100);
    });
    const call = timeouts.within(answer);
    await jest.advanceTimersByTimeAsync(200);
    expect(await call).toBe('late');
  });
});
