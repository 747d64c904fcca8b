import { getAgentMetrics } from '@acache/agent';
import { comparisonTable, complaints, type Comparison } from './report.js';
import { runAgent } from './use-case.js';
import { useCases } from './use-cases.js';

console.log(`\
Five agents on the AI SDK with a scripted model: no network, no key. Each runs as it is, then with its tools
wrapped by @acache/agent (before → after). No run takes more than 20 steps.
`);

const comparisons: Comparison[] = [];
const wrong: string[] = [];
for (const useCase of useCases) {
  const { expected, title } = useCase;
  const bare = await runAgent(useCase, 'bare');
  const guarded = await runAgent(useCase, 'guarded');
  comparisons.push({ title, bare, guarded });
  wrong.push(
    ...complaints(title, 'bare', bare, expected.bare),
    ...complaints(title, 'guarded', guarded, expected.guarded),
  );
}
console.log(comparisonTable(comparisons));

const { calls, hits, invalidations, loopDetections, misses } = getAgentMetrics();
console.log(`
${calls} calls of tools: ${hits} answered from the cache, ${misses} reads that ran, ${invalidations} mutations; ${loopDetections} loops stopped.
`);

if (wrong.length === 0) console.log('All of it is as it has to be.');
else {
  console.error(['demo: something is not as it has to be:', ...wrong].join('\n  '));
  process.exitCode = 1;
}
