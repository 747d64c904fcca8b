#!/usr/bin/env node
// npm run release: a rehearsal, which publishes to a registry on this machine. npm run release -- --publish: the real thing.
import { publish } from './publish.mjs';
import { rehearse } from './rehearse.mjs';

const options = process.argv.slice(2);
const unknown = options.find((option) => option !== '--publish');
try {
  if (unknown !== undefined) throw new Error(`the only option is --publish, got '${unknown}'`);
  await (options.includes('--publish') ? publish() : rehearse());
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
