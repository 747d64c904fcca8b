import { ServerClock } from './server-clock.js';

describe('ServerClock', () => {
  it('knows nothing before the server has shown its time', () => {
    expect(new ServerClock().at(1)).toBeUndefined();
  });

  it('is never behind the server, and comes closer with quicker answers', () => {
    const clock = new ServerClock();
    // The server is 10,000 ahead, and looks at its clock in the middle of each call.
    clock.saw(10_050, 0, 100);
    expect(clock.at(200)).toBe(10_250);
    clock.saw(10_301, 300, 302);
    expect(clock.at(400)).toBe(10_401);
    clock.saw(10_550, 500, 600);
    expect(clock.at(700)).toBe(10_701);
  });

  it('follows a server whose clock is set', () => {
    const clock = new ServerClock();
    clock.saw(10_000, 0, 2);
    clock.saw(99_000, 1000, 1002);
    expect(clock.at(2000)).toBe(100_000);
    clock.saw(3000, 3000, 3002);
    expect(clock.at(4000)).toBe(4000);
  });
});
