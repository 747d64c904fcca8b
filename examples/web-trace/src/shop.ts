import { setImmediate } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { fillPages, indexes, pageQuery, schema } from './shop-sql.js';

/** What one product page shows. */
export interface ProductPage {
  key: string;
  name: string;
  brand: string;
  category: string;
  description: string;
  attributes: Record<string, string | number>;
  cents: number;
  currency: string;
  inStock: number;
  rating: number | null;
  reviews: number;
}

/** A web shop's database: Postgres in this process, asked through node-postgres as a server would be. */
export class Shop implements AsyncDisposable {
  /** How many product pages were asked of the database. */
  queries = 0;
  readonly #postgres: PGlite;
  readonly #pool: pg.Pool;

  private constructor(postgres: PGlite) {
    this.#postgres = postgres;
    this.#pool = new pg.Pool(createPgConfig(postgres));
  }

  /** Starts Postgres, which takes about two seconds, with the tables of a shop that sells nothing yet. */
  static async open(): Promise<Shop> {
    const postgres = await PGlite.create({
      // Everything is in memory: small buffers suffice, and an index is as near as a table.
      postgresqlconf: ['shared_buffers = 32MB', 'random_page_cost = 1.1'],
    });
    await postgres.exec(schema);
    return new Shop(postgres);
  }

  /** Puts a product with its price, stock and reviews behind every key: the same for the same keys, run after run. */
  async fill(keys: readonly string[], onProgress: (done: number) => void): Promise<void> {
    const step = 500;
    for (let done = 0; done < keys.length; done += step) {
      // A turn of the event loop, in which Ctrl-C and the progress bar are heard.
      await setImmediate();
      await this.#pool.query(fillPages, [keys.slice(done, done + step)]);
      onProgress(Math.min(done + step, keys.length));
    }
    await this.#pool.query(indexes);
  }

  /** Asks the database for a page: one query. */
  async page(key: string): Promise<ProductPage> {
    this.queries++;
    // PGlite answers within one turn of the event loop; over a socket, as here, others get their turn meanwhile.
    await setImmediate();
    const { rows } = await this.#pool.query<ProductPage>({
      name: 'product-page',
      text: pageQuery,
      values: [key],
    });
    if (rows[0] === undefined) throw new Error(`the shop has no page '${key}'`);
    return rows[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
    await this.#postgres.close();
  }
}
