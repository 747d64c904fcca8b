import { existsSync, readdirSync } from 'node:fs';

const folders = ['packages', 'examples'].flatMap((parent) =>
  existsSync(parent) ? readdirSync(parent).map((name) => `${parent}/${name}`) : [],
);

/** Runs the tests of every project in one process: the fastest way to run them all. */
export default {
  coverageProvider: 'v8',
  projects: [...folders, 'tools'].filter((folder) => existsSync(`${folder}/jest.config.js`)),
};
