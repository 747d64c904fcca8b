// The entry for runtimes with a command line: Node, Bun, Deno.
import { smoke } from './smoke.mjs';

console.log(await smoke());
