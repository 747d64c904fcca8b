// The entry for runtimes with a command line: Node, Bun, Deno.
import { serverSmoke } from './server-smoke.mjs';
import { smoke } from './smoke.mjs';

const [file, redis] = process.argv.slice(2);
const kept = (await smoke()) + (await serverSmoke({ file, redis }));
console.log(`${kept} promises kept`);
