import { startCluster, type RedisCluster } from './index.js';

describe('startCluster', () => {
  let cluster: RedisCluster;
  let withReplicas: RedisCluster;
  beforeAll(async () => {
    [cluster, withReplicas] = await Promise.all([
      startCluster(),
      startCluster({ replicas: 1, nodeTimeout: 1000 }),
    ]);
  });
  afterAll(() => Promise.all([cluster.stop(), withReplicas.stop()]));

  it('starts three primaries that serve all slots', async () => {
    expect(cluster.nodes).toHaveLength(3);
    expect(await cluster.primaries()).toEqual(cluster.nodes);
    expect(cluster.addresses).toEqual(cluster.nodes.map(({ host, port }) => ({ host, port })));
    const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`);
    const owners = new Set();
    for (const key of keys) {
      const owner = await cluster.ownerOf(key);
      owners.add(owner);
      expect(await owner.command('SET', key, key)).toBe('OK');
    }
    expect(owners.size).toBe(3);
    const [first, second] = cluster.nodes;
    const foreign = (await cluster.ownerOf('key')) === first ? second : first;
    await expect(foreign!.command('GET', 'key')).rejects.toThrow('MOVED');
  });

  it('moves a slot with its keys', async () => {
    const from = await cluster.ownerOf('key');
    await from.command('SET', 'key', 'value');
    const to = cluster.nodes.find((node) => node !== from)!;
    await cluster.moveSlotOf('key', to);
    expect(await cluster.ownerOf('key')).toBe(to);
    expect(await to.command('GET', 'key')).toBe('value');
    await expect(from.command('GET', 'key')).rejects.toThrow('MOVED');
  });

  it('hands a primary over to its replica', async () => {
    const before = await withReplicas.ownerOf('key');
    const [replica] = await withReplicas.replicasOf(before);
    await before.command('SET', 'key', 'value');
    expect(await withReplicas.handOver(before)).toBe(replica);
    expect(await withReplicas.ownerOf('key')).toBe(replica);
    expect(await withReplicas.replicasOf(replica!)).toEqual([before]);
    expect(await replica!.command('GET', 'key')).toBe('value');
  });

  it('replaces a primary that is killed, and is whole again when that comes back', async () => {
    const before = await withReplicas.ownerOf('key');
    const [lonely] = cluster.nodes;
    await lonely!.kill();
    await lonely!.restart();
    const [after] = await Promise.all([withReplicas.failover(before), cluster.untilSettled()]);
    expect(await withReplicas.ownerOf('key')).toBe(after);
    expect(await cluster.primaries()).toContain(lonely);
    await before.restart();
    await withReplicas.untilSettled();
    expect(await withReplicas.replicasOf(after)).toEqual([before]);
  });

  it('has no successor for a primary without a replica', async () => {
    await expect(cluster.failover(cluster.nodes[0]!)).rejects.toThrow(
      'a primary without a replica has no successor',
    );
  });
});
