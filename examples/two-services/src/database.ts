import { sendJson } from './send-json.js';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly price: number;
  /** Grows with every change: by it the demo tells whether an answer is up to date. */
  readonly version: number;
}

/** The database as the services see it: over the network, and slow. */
export class Database {
  readonly #url: string;

  constructor(url = 'http://localhost:5432') {
    this.#url = url;
  }

  product(id: string): Promise<Product> {
    return sendJson('GET', `${this.#url}/products/${id}`);
  }

  setPrice(id: string, price: number): Promise<void> {
    return sendJson('PUT', `${this.#url}/products/${id}`, price);
  }

  /** Makes everything in a category cheaper. */
  startSale(category: string, percent: number): Promise<void> {
    return sendJson('POST', `${this.#url}/sales/${category}`, percent);
  }
}
