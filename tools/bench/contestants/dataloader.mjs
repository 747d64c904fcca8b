import DataLoader from 'dataloader';

/** @type {import('../lib/contestant.mjs').OpenLoader} */
export const openLoader = (loadMany, keep) =>
  new DataLoader(loadMany, keep ? undefined : { cache: false });
