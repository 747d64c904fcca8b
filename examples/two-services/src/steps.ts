import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from './database.js';
import type { Finding } from './report.js';
import type { ServiceProcess } from './service-process.js';
import type { SharedRedis } from './shared-redis.js';
import type { SlowDatabase } from './slow-database.js';
import { Traffic } from './traffic.js';

/** Two services, the Redis that they share, and the database behind them. */
export interface Shop {
  readonly a: ServiceProcess;
  readonly b: ServiceProcess;
  readonly redis: SharedRedis;
  readonly database: SlowDatabase;
}

const visitors = 200;
/** Milliseconds within which a message from Redis must have had its effect, on a machine that may be busy. */
const oneMessage = 250;
/** Milliseconds that memory goes on without Redis. */
const staleness = 2000;

/** What is measured is then compiled, the connections are open, and the category has been heard of. */
export async function warmUp({ a, b }: Shop): Promise<void> {
  await Promise.all(Array.from({ length: visitors }, (_, nth) => (nth % 2 ? b : a).metrics()));
  await Promise.all([a, b].map((service) => service.product('p4')));
}

/** Everyone wants a product that nobody has. */
export async function cold(shop: Shop): Promise<Finding[]> {
  const { good, slowest, queries } = await rush(shop, 'p0');
  return [
    { label: 'requests at once, half of them to each service', value: visitors },
    { label: 'answers with the product', value: good, exactly: visitors },
    { label: 'database queries', value: queries, exactly: 1 },
    { label: 'slowest answer', value: slowest, unit: 'ms' },
  ];
}

/** The same once more: both have it in memory. */
export async function warm(shop: Shop): Promise<Finding[]> {
  let rushed = { good: 0, slowest: 0, queries: 0 };
  const commands = await shop.redis.commandsDuring(async () => {
    rushed = await rush(shop, 'p0');
  });
  const { good, slowest, queries } = rushed;
  return [
    { label: 'answers with the product', value: good, exactly: visitors },
    { label: 'database queries', value: queries, exactly: 0 },
    { label: 'commands to Redis', value: commands.length, exactly: 0 },
    { label: 'slowest answer', value: slowest, unit: 'ms' },
  ];
}

/** Products change, in three ways, while both services are asked for them all the time. */
export async function changes(shop: Shop): Promise<Finding[]> {
  const { a, b, database, redis } = shop;
  await using traffic = new Traffic(shop, oneMessage);
  await sleep(300);

  const prices = 20;
  const shownPrice = await changePrices(shop, traffic, prices);

  const teas = database.products.filter(({ category }) => category === 'tea');
  await a.startSale('tea', 20);
  traffic.acknowledge();
  const shownSale = await untilShown(shop, [b], teas);

  const coffee = database.products.slice(1, 2);
  await untilShown(shop, [a, b], coffee);
  database.setPrice('p1', 1);
  const keys = await redis.deleteByHand('p1');
  traffic.acknowledge();
  const shownByHand = await untilShown(shop, [a, b], coffee);

  await sleep(oneMessage);
  const { requests, failures, old, tooOld } = traffic.take();
  return [
    { label: 'price changes through A', value: prices },
    { label: '  B showed each within', value: shownPrice, unit: 'ms', atMost: oneMessage },
    { label: 'products in a sale through A, by one tag', value: teas.length },
    { label: '  B showed them within', value: shownSale, unit: 'ms', atMost: oneMessage },
    { label: 'keys deleted by hand, of a product changed by hand', value: keys, exactly: 1 },
    { label: '  A and B showed it within', value: shownByHand, unit: 'ms', atMost: oneMessage },
    { label: 'requests meanwhile', value: requests, atLeast: 100 },
    { label: '  that failed', value: failures.length, exactly: 0 },
    { label: '  sent after a change, answered with what was before', value: old },
    { label: `  the same, sent more than ${oneMessage} ms after it`, value: tooOld, exactly: 0 },
  ];
}

/** Redis is frozen and then killed, and comes back with what it had, while both services are asked all the time. */
export async function illness(shop: Shop): Promise<Finding[]> {
  const { a, database, redis } = shop;
  const own = redis.own as NonNullable<typeof redis.own>;
  await using traffic = new Traffic(shop, oneMessage);
  await sleep(500);
  traffic.take();

  const queriesBefore = database.queries;
  const frozenAt = performance.now();
  await own.freeze();
  await sleep(300);
  await a.setPrice('p2', 1);
  traffic.acknowledge();
  await sleep(1000);
  const killedAt = performance.now();
  await own.kill();
  await sleep(1800);
  const away = traffic.take();
  const restartedAt = performance.now();
  await own.restart();
  await untilCoherent(shop);
  const coherentAt = performance.now();
  const back = traffic.take();
  const queries = database.queries - queriesBefore;

  const prices = 10;
  const shown = await changePrices(shop, traffic, prices);
  await sleep(oneMessage);
  const after = traffic.take();

  const loads = 2 * database.products.length * Math.ceil(1 + (coherentAt - frozenAt) / staleness);
  return [
    { label: 'Redis was frozen for', value: killedAt - frozenAt, unit: 'ms' },
    { label: '  and then dead for', value: restartedAt - killedAt, unit: 'ms' },
    { label: 'requests meanwhile', value: away.requests, atLeast: 100 },
    { label: '  that failed', value: away.failures.length, exactly: 0 },
    { label: '  slowest answer', value: away.slowest, unit: 'ms', atMost: 1000 },
    {
      label: 'price changed through A meanwhile: B showed the old one for',
      value: away.oldFor,
      unit: 'ms',
      atMost: staleness + oneMessage,
    },
    { label: 'Redis is back; both coherent after', value: coherentAt - restartedAt, unit: 'ms' },
    { label: '  requests meanwhile', value: back.requests },
    { label: '  that failed', value: back.failures.length, exactly: 0 },
    { label: '  answered with what was before a change', value: back.old },
    { label: 'database queries in all this time', value: queries, atMost: loads },
    { label: 'price changes through A from then on', value: prices },
    { label: '  B showed each within', value: shown, unit: 'ms', atMost: oneMessage },
    { label: '  requests that failed', value: after.failures.length, exactly: 0 },
    { label: '  sent after a change, answered with what was before', value: after.old },
    {
      label: `  the same, sent more than ${oneMessage} ms after it`,
      value: after.tooOld,
      exactly: 0,
    },
  ];
}

/** Asks both services for one product, all at once. */
async function rush({ a, b, database }: Shop, id: string) {
  const queriesBefore = database.queries;
  const start = performance.now();
  let slowest = 0;
  const answers = await Promise.all(
    Array.from({ length: visitors }, async (_, nth) => {
      const product = await (nth % 2 === 0 ? a : b).product(id);
      slowest = performance.now() - start;
      return product;
    }),
  );
  const good = answers.filter((product) => product.id === id).length;
  return { good, slowest, queries: database.queries - queriesBefore };
}

/** Changes a price through A again and again; returns the longest that B took to show one. */
async function changePrices(shop: Shop, traffic: Traffic, times: number): Promise<number> {
  const honey = shop.database.products.slice(2, 3);
  let longest = 0;
  for (let nth = 0; nth < times; nth++) {
    await shop.a.setPrice('p2', 2000 + nth);
    traffic.acknowledge();
    longest = Math.max(longest, await untilShown(shop, [shop.b], honey));
    await sleep(20);
  }
  return longest;
}

/** Milliseconds until a request is sent that gets what the database has, of each service for each product. */
async function untilShown(
  { database }: Shop,
  services: readonly ServiceProcess[],
  products: readonly Product[],
): Promise<number> {
  const start = performance.now();
  const one = async (service: ServiceProcess, { id }: Product): Promise<number> => {
    const now = database.products.find((each) => each.id === id);
    for (;;) {
      const waited = performance.now() - start;
      const { version } = await service.product(id);
      if (version === now?.version || waited > 10 * oneMessage) return waited;
    }
  };
  const waits = services.flatMap((service) => products.map((product) => one(service, product)));
  return Math.max(...(await Promise.all(waits)));
}

async function untilCoherent({ a, b }: Shop): Promise<void> {
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    const tiers = await Promise.all([a, b].map(async (service) => (await service.metrics()).tier));
    if (tiers.every(({ coherent, unsent }) => coherent && unsent === 0)) return;
    await sleep(10);
  }
  throw new Error('Redis is back, but the services did not become coherent within 10 s');
}
