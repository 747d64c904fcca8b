import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { AsyncCache } from '@acache/core';
import { redisTier } from '@acache/redis-tier';
import { Database, type Product } from './database.js';

const { DATABASE_URL, REDIS_URL = 'redis://localhost:6379', REDIS_PREFIX, PORT } = process.env;

const database = new Database(DATABASE_URL);
const tier = redisTier(REDIS_URL, { prefix: REDIS_PREFIX, commandTimeout: 500 });
const products = new AsyncCache<string, Product>({ name: 'products', ttl: '10m', tier });

function findProduct(id: string): Promise<Product> {
  return products.get(id, async (_, context) => {
    const product = await database.product(id);
    context.tag(product.category);
    return product;
  });
}

async function setPrice(id: string, price: number): Promise<void> {
  await database.setPrice(id, price);
  await products.delete(id); // In the memories of all services, and in Redis.
}

async function startSale(category: string, percent: number): Promise<void> {
  await database.startSale(category, percent);
  await products.invalidateTags(category);
}

async function answer(request: IncomingMessage): Promise<unknown> {
  const [, what = '', name = ''] = (request.url ?? '').split('/');
  const route = `${request.method} /${what}`;
  if (route === 'GET /products') return findProduct(name);
  if (route === 'PUT /products') return setPrice(name, (await json(request)) as number);
  if (route === 'POST /sales') return startSale(name, (await json(request)) as number);
  if (route === 'GET /metrics') return { cache: products.getMetrics(), tier: tier.getMetrics() };
  throw new Error(`there is no ${route}`);
}

const server = createServer((request, response) => {
  answer(request).then(
    (body) => response.end(JSON.stringify(body ?? null)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});

await products.ready; // Connected to Redis, or given up on for now: then it goes on without.
server.listen(Number(PORT ?? 8080), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => {
  server.close(() => void products.close());
});
