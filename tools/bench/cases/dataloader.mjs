import { interleave } from '../lib/interleave.mjs';
import { requests, requestsOf } from '../lib/requests.mjs';

/** @type {import('../lib/case.mjs').Case} */
export const dataloader = {
  name: 'dataloader',
  about:
    'one of the loads that a request makes at once with a DataLoader of its own, every fourth key twice; baseline a list of promises by hand',
  baseline: 'hand-loop',
  needs: 'DataLoader',
  unit: 'ns',
  variants: requests,
  async measure(names, variant, seconds) {
    const runners = [];
    for (const name of names) {
      const { count, run } = await requestsOf(name, variant);
      runners.push({ name, count, batch: run });
    }
    return interleave(runners, { seconds, emptyNursery: true });
  },
};
