import { Breaker } from './breaker.js';

function setUp(failures = 3) {
  const changes: boolean[] = [];
  const state = { alive: false, probes: 0 };
  const breaker = new Breaker({
    failures,
    openFor: 1000,
    probe: () => {
      state.probes++;
      return state.alive ? Promise.resolve() : Promise.reject(new Error('down'));
    },
    changed: (isOpen) => changes.push(isOpen),
  });
  return { breaker, changes, state };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('Breaker', () => {
  it('opens after so many failures in a row', () => {
    const { breaker, changes } = setUp();
    breaker.failed(new Error('down'));
    breaker.failed(new Error('down'));
    breaker.succeeded();
    breaker.failed(new Error('down'));
    breaker.failed(new Error('down'));
    expect(breaker.isOpen).toBe(false);
    breaker.failed(new Error('down'));
    expect(breaker.isOpen).toBe(true);
    breaker.failed(new Error('down'));
    expect(changes).toEqual([true]);
  });

  it('counts what failed together once', () => {
    const { breaker } = setUp();
    const stall = new Error('no answer');
    for (let calls = 0; calls < 10; calls++) breaker.failed(stall);
    expect(breaker.isOpen).toBe(false);
  });

  it('stays closed once it is stopped', () => {
    const { breaker, changes } = setUp(1);
    breaker.stop();
    breaker.failed(new Error('down'));
    expect([breaker.isOpen, changes]).toEqual([false, []]);
  });

  it('probes until there is an answer, and closes then', async () => {
    const { breaker, changes, state } = setUp(1);
    breaker.failed(new Error('down'));
    await jest.advanceTimersByTimeAsync(3500);
    expect([state.probes, breaker.isOpen]).toEqual([3, true]);
    state.alive = true;
    await jest.advanceTimersByTimeAsync(500);
    expect([state.probes, breaker.isOpen]).toEqual([4, false]);
    await jest.advanceTimersByTimeAsync(5000);
    expect(state.probes).toBe(4);
    expect(changes).toEqual([true, false]);
  });

  it('closes at any answer, and probes no more', async () => {
    const { breaker, state } = setUp(1);
    breaker.failed(new Error('down'));
    breaker.succeeded();
    await jest.advanceTimersByTimeAsync(5000);
    expect([breaker.isOpen, state.probes]).toEqual([false, 0]);
  });

  it('probes no more once it is stopped', async () => {
    const { breaker, state } = setUp(1);
    breaker.failed(new Error('down'));
    breaker.stop();
    await jest.advanceTimersByTimeAsync(5000);
    expect(state.probes).toBe(0);
  });
});
