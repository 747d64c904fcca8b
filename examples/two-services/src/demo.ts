import { complaint, findingsTable, holds, metricsTable, type Finding } from './report.js';
import { ServiceProcess } from './service-process.js';
import { SharedRedis } from './shared-redis.js';
import { queryTime, SlowDatabase } from './slow-database.js';
import { changes, cold, illness, warm, warmUp, type Shop } from './steps.js';

const complaints: string[] = [];
try {
  await demo();
} catch (error) {
  complaints.push(String(error));
}
if (complaints.length === 0) console.log('All of it held.');
else {
  console.error(['demo: something did not hold:', ...complaints].join('\n  '));
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  await using database = await SlowDatabase.open();
  await using redis = await SharedRedis.open();
  const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix };
  await using a = await ServiceProcess.start(env);
  await using b = await ServiceProcess.start(env);
  const shop: Shop = { a, b, redis, database };
  console.log(`\
Two services, A and B, cache the products of a slow database (${queryTime} ms a query) in their memories, with one Redis
behind them: ${redis.own ? "the demo's own" : 'the one of REDIS_URL'}.
`);

  await warmUp(shop);
  show('1. Everyone wants a product that nobody has', await cold(shop));
  show('2. The same once more: from memory', await warm(shop));
  show('3. Products change under load', await changes(shop));
  if (redis.own)
    show('4. Redis is frozen and killed under load, and comes back', await illness(shop));
  else console.log("4. Redis is not frozen and killed: it is not the demo's own\n");
  console.log('5. What the services counted');
  console.log(`${metricsTable(await a.metrics(), await b.metrics())}\n`);
}

function show(title: string, findings: readonly Finding[]): void {
  console.log(`${title}\n${findingsTable(findings)}\n`);
  complaints.push(...findings.filter((finding) => !holds(finding)).map(complaint));
}
