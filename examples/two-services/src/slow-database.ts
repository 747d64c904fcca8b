import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Product } from './database.js';

/** Milliseconds that the database takes for anything. */
export const queryTime = 25;

const categories = ['tea', 'coffee', 'honey', 'jam'];

/** Stands for a database: 20 products that lie behind HTTP, take their time, and are counted when asked for. */
export class SlowDatabase implements AsyncDisposable {
  /** How often it was asked for a product. */
  queries = 0;
  readonly #products = new Map<string, Product>();
  readonly #server: Server;

  private constructor() {
    for (let nth = 0; nth < 20; nth++) {
      const category = categories[nth % categories.length] as string;
      const [id, name] = [`p${nth}`, `${category} no. ${nth}`];
      this.#products.set(id, { id, name, category, price: 1000 + nth, version: 1 });
    }
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        (body) => response.end(JSON.stringify(body)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  static async open(): Promise<SlowDatabase> {
    const database = new SlowDatabase();
    await once(database.#server.listen(0, '127.0.0.1'), 'listening');
    return database;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What is there now, for those who check: takes no time and counts as no query. */
  get products(): Product[] {
    return [...this.#products.values()];
  }

  setPrice(id: string, price: number): void {
    const product = this.#find(id);
    this.#products.set(id, { ...product, price, version: product.version + 1 });
  }

  async #answer(request: IncomingMessage): Promise<unknown> {
    const [, what = '', name = ''] = (request.url ?? '').split('/');
    const route = `${request.method} /${what}`;
    if (route === 'GET /products') return this.#query(name);
    await this.#change(route, name, request);
    return null;
  }

  async #change(route: string, name: string, request: IncomingMessage): Promise<void> {
    const amount = (await json(request)) as number;
    await sleep(queryTime);
    if (route === 'PUT /products') this.setPrice(name, amount);
    else if (route === 'POST /sales') this.#startSale(name, amount);
    else throw new Error(`there is no ${route}`);
  }

  async #query(id: string): Promise<Product> {
    this.queries++;
    const product = this.#find(id);
    await sleep(queryTime);
    return product;
  }

  #startSale(category: string, percent: number): void {
    for (const product of this.products.filter((each) => each.category === category)) {
      this.setPrice(product.id, product.price * (1 - percent / 100));
    }
  }

  #find(id: string): Product {
    const product = this.#products.get(id);
    if (product === undefined) throw new Error(`there is no product ${id}`);
    return product;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await this.#server[Symbol.asyncDispose]();
  }
}
