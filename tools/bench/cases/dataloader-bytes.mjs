import { allocatedBytes, ROOMY } from '../lib/heap.mjs';
import { requests, requestsOf } from '../lib/requests.mjs';

/** @type {import('../lib/case.mjs').Case} */
export const dataloaderBytes = {
  name: 'dataloader-bytes',
  about: 'bytes allocated by one of those loads, garbage included; baseline the same by hand',
  baseline: 'hand-loop',
  needs: 'DataLoader',
  unit: 'B',
  alone: true,
  nodeFlags: ROOMY,
  variants: requests,
  async measure([name], variant) {
    const { count, run } = await requestsOf(name, variant);
    const samples = await allocatedBytes({ prepare: () => undefined, run });
    return { [name]: samples.map((bytes) => bytes / count) };
  },
};
