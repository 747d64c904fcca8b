import { join } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const expected = [
  /^(package\.json|README\.md|CHANGELOG\.md|FORMAT\.md|LICENSE|grafana-dashboard\.json)$/,
  /^dist\/cjs\/package\.json$/,
  /^dist\/(esm|cjs)\/.+\.(js|d\.ts)(\.map)?$/,
  /^src\/(?!.*\.test(-d)?\.ts$).+\.ts$/,
];
const required = ['package.json', 'README.md', 'LICENSE', 'dist/cjs/package.json'];

/** What is published: all that a user needs, maps whose sources are there, and nothing else. */
export function checkContents({ files, installed }) {
  return [
    ...files
      .filter((file) => !expected.some((pattern) => pattern.test(file)))
      .map((file) => `publishes ${file}, which nobody needs`),
    ...required.filter((file) => !files.includes(file)).map((file) => `does not publish ${file}`),
    ...files
      .filter((file) => file.endsWith('.map'))
      .flatMap((file) => brokenSources(installed, file)),
  ];
}

function brokenSources(installed, file) {
  const { sources } = JSON.parse(readFileSync(join(installed, file), 'utf8'));
  return sources
    .map((source) => posix.join(posix.dirname(file), source))
    .filter((source) => !existsSync(join(installed, source)))
    .map((source) => `${file} points at ${source}, which is not published`);
}
