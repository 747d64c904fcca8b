#!/usr/bin/env node
// npm run test:node -- 22 24: runs the suite on other versions of Node, by default on all that are supported.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { repository } from '../workspace.mjs';
import { download } from './download.mjs';

const supported = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' };

const asked = process.argv.slice(2);
const unknown = asked.find((major) => !(major in supported));
if (unknown !== undefined) {
  console.error(`the versions are ${Object.keys(supported).join(', ')}, got '${unknown}'`);
  process.exit(1);
}

const results = (asked.length > 0 ? asked : Object.keys(supported)).map((major) => {
  console.log(`\nNode ${major}`);
  const node = binaryOf(major);
  const { status } = spawnSync(node, [join(repository, 'node_modules/jest/bin/jest.js')], {
    cwd: repository,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  });
  return { major, passed: status === 0 };
});

console.log();
for (const { major, passed } of results)
  console.log(`Node ${major}: ${passed ? 'passed' : 'FAILED'}`);
if (results.some(({ passed }) => !passed)) process.exitCode = 1;

function binaryOf(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  return join(download('node', supported[major]), 'bin/node');
}
