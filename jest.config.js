import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const folders = ['packages', 'examples'].flatMap((parent) =>
  existsSync(parent) ? readdirSync(parent).map((name) => `${parent}/${name}`) : [],
);

/** Runs the tests of every project in one process: the fastest way to run them all. */
export default {
  coverageProvider: 'v8',
  // Two also on a machine with two cores: the tests of the Redis tier wait more than they work.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  projects: [...folders, 'docs', 'tools'].filter((folder) =>
    existsSync(`${folder}/jest.config.js`),
  ),
};
