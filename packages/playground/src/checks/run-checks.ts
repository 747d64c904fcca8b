import { describeError } from '../describe-error.js';
import { batching } from './batching.js';
import type { Check, CheckResult } from './check.js';
import { coherence } from './coherence.js';
import { herd } from './herd.js';
import { metrics } from './metrics.js';
import { order } from './order.js';
import { races } from './races.js';
import { restart } from './restart.js';
import type { Rigs } from './rig.js';
import { ttl } from './ttl.js';

/** The checks that make sense for what the playground has. */
export function checksFor({ redis, file }: Pick<Rigs, 'redis' | 'file'>): readonly Check[] {
  return [
    herd,
    batching,
    ttl,
    order,
    metrics,
    races,
    ...(redis === undefined ? [] : [coherence]),
    ...(file === undefined ? [] : [restart]),
  ];
}

/** Runs checks one after another; one that throws has failed. */
export async function* runChecks(rigs: Rigs): AsyncGenerator<CheckResult> {
  for (const check of checksFor(rigs)) {
    const { id, promise } = check;
    const startedAt = performance.now();
    try {
      const { pass, evidence } = await check.run(rigs);
      yield { id, promise, pass, evidence, ms: since(startedAt) };
    } catch (error) {
      const evidence = [`it could not be checked: ${describeError(error)}`];
      yield { id, promise, pass: false, evidence, ms: since(startedAt) };
    } finally {
      await rigs.close();
    }
  }
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
