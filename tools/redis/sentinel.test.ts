import { startSentinel, type RedisSentinel } from './index.js';

describe('startSentinel', () => {
  let group: RedisSentinel;
  beforeAll(async () => {
    group = await startSentinel({ downAfter: 300 });
  });
  afterAll(() => group.stop());

  it('starts a primary, a replica, and three sentinels that know them', async () => {
    const [primary, replica] = group.nodes;
    expect(await group.primary()).toBe(primary);
    expect((await replica!.info('replication')).role).toBe('slave');
    expect(group.sentinels).toHaveLength(3);
    for (const sentinel of group.sentinels) {
      expect(await sentinel.command('SENTINEL', 'CKQUORUM', group.name)).toContain('OK 3 usable');
    }
    expect(group.addresses).toEqual(group.sentinels.map(({ host, port }) => ({ host, port })));
  });

  it('replaces a primary that is killed, and takes it back as a replica', async () => {
    const [before, replica] = group.nodes;
    const after = await group.failover();
    expect(after).toBe(replica);
    expect(await after.command('SET', 'key', 'value')).toBe('OK');
    await before!.restart();
    await group.untilSettled();
    expect(await group.primary()).toBe(after);
    expect(await before!.command('GET', 'key')).toBe('value');
  });

  it('goes on with a sentinel less', async () => {
    await group.sentinels[0]!.kill();
    expect((await group.primary()).isRunning).toBe(true);
    await group.sentinels[0]!.restart();
    await group.untilSettled();
  });
});
