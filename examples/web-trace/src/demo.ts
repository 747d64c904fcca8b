import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsyncCache } from '@acache/core';
import { isInputError } from './input-error.js';
import { leaveWhenTold } from './leave.js';
import { parseOptions, usage, type Options } from './options.js';
import { play } from './play.js';
import { withProgress } from './progress.js';
import { comparison, count, counted, duration, type Run } from './report.js';
import { Shop, type ProductPage } from './shop.js';
import { readTrace, type Trace } from './trace.js';

const ownTrace = fileURLToPath(new URL('../data/web12.u32.gz', import.meta.url));

leaveWhenTold();
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) console.log(usage);
    else await demo(options);
    return 0;
  } catch (error) {
    if (!isInputError(error)) throw error;
    console.error(`demo: ${error.message}`);
    return 2;
  }
}

async function demo(options: Options): Promise<void> {
  const trace = await readTrace(fileOf(options), options.requests);
  const maxSize = options.maxSize === undefined ? tenthOf(trace.keys) : options.maxSize;
  const { ttl, policy } = options;
  await using cache = new AsyncCache<string, ProductPage>({ name: 'pages', maxSize, ttl, policy });
  describe(trace, options, maxSize);

  console.log('Starting Postgres');
  await using shop = await Shop.open();
  await withProgress('Filling Postgres  ', trace.keys.length, (onProgress) =>
    shop.fill(trace.keys, onProgress),
  );

  const load = (key: string) => shop.page(key);
  const { concurrency } = options;
  const run = async (label: string, ask: (key: string) => Promise<ProductPage>): Promise<Run> => {
    const queriesBefore = shop.queries;
    const played = await withProgress(label, trace.requests.length, (onProgress) =>
      play(trace.requests, ask, { concurrency, onProgress }),
    );
    return { ...played, queries: shop.queries - queriesBefore };
  };
  // Both runs meet a database that is warm.
  await play(trace.requests.slice(0, 1000), load, { concurrency });
  const without = await run('Without cache     ', load);
  const through = await run('Through AsyncCache', (key) => cache.get(key, load));

  const { hits, misses, joined } = cache.getMetrics();
  console.log(`\n${comparison(without, { ...through, cache: { hits, misses, joined } })}\n`);
  await herd(shop, trace);
}

/** The moment a popular page is new or was just invalidated: everyone wants it, nobody has it. */
async function herd(shop: Shop, { keys: [key = ''] }: Trace): Promise<void> {
  const callers = 100;
  await using cache = new AsyncCache<string, ProductPage>({ name: 'herd' });
  const rush = async (label: string, ask: () => Promise<ProductPage>) => {
    const queriesBefore = shop.queries;
    const { wallMs } = await play(Array<string>(callers).fill(key), ask, { concurrency: callers });
    const queries = counted(shop.queries - queriesBefore, 'query  ', 'queries');
    console.log(`  ${label}  ${queries.padStart(11)}  ${duration(wallMs).padStart(8)}`);
  };

  console.log(`The herd: ${callers} callers at once, one cold key`);
  await rush('without cache     ', () => shop.page(key));
  await rush('through AsyncCache', () => cache.get(key, () => shop.page(key)));
}

function describe(trace: Trace, options: Options, maxSize: number | null): void {
  const { keys, requests, complete } = trace;
  const first = complete ? '' : 'the first ';
  console.log(`\
A recorded web trace against Postgres (PGlite, in this process), without a cache and through AsyncCache.

  trace    ${basename(fileOf(options))}: ${first}${count(requests.length)} requests to ${count(keys.length)} keys
  cache    maxSize ${maxSize === null ? 'none' : count(maxSize)}, ttl ${options.ttl ?? 'none'}, policy ${options.policy}
  played   ${options.concurrency} requests in flight; latency is what each one waits, its turn at the database included
`);
}

/** npm runs this in the folder of the example; INIT_CWD is where it was called. */
function fileOf({ trace }: Options): string {
  return trace === undefined ? ownTrace : resolve(process.env.INIT_CWD ?? '.', trace);
}

function tenthOf(keys: readonly string[]): number {
  return Math.max(1, Math.round(keys.length / 10));
}
