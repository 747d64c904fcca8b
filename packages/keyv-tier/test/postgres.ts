import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { KeyvPostgres } from '@keyv/postgres';

/** A real Postgres, started for a test. */
export interface Postgres {
  /** A store on a table of its own. */
  emptyStore(): Promise<KeyvPostgres>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const server = spawn(process.execPath, [join(__dirname, 'postgres-server.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  const uri = `postgresql://postgres@127.0.0.1:${port.toString().trim()}/postgres`;
  const stores: KeyvPostgres[] = [];
  return {
    async emptyStore() {
      // One session is all that this Postgres has.
      const store = new KeyvPostgres({ uri, table: `cache_${stores.length}`, max: 1 });
      stores.push(store);
      await store.get('anything');
      return store;
    },
    async stop() {
      await stores[0]?.disconnect();
      server.stdin.end();
      await once(server, 'exit');
    },
  };
}
