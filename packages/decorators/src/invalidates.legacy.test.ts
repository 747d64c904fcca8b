import { invalidationCases, type Database, type Users } from '../test/invalidation-cases.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';

failOnUnhandledRejections();

describe('invalidates on a legacy method', () => {
  invalidationCases((read, write, database) => {
    class Repository implements Users {
      readonly #database: Database = database;

      @read
      async find(id: number): Promise<string> {
        return this.#database.load(id);
      }

      @write
      async update(id: number): Promise<string> {
        return this.#database.save(id);
      }
    }
    return new Repository();
  });
});

describe('invalidates on a static legacy method', () => {
  invalidationCases((read, write, database) => {
    class Repository {
      @read
      static async find(id: number): Promise<string> {
        return database.load(id);
      }

      @write
      static async update(id: number, ..._rest: unknown[]): Promise<string> {
        return database.save(id);
      }
    }
    return Repository;
  });
});
