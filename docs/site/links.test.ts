import { linkOnSite } from './links.js';

const repository = 'https://example.org/repository';

describe('linkOnSite', () => {
  it.each([
    ['architecture.md', 'docs/redis-tier.md', '/architecture.md'],
    ['../../packages/core/README.md#races', 'docs/concepts/races.md', '/packages/core.md#races'],
    ['../core/README.md', 'packages/batch/README.md', '/packages/core.md'],
    ['FORMAT.md', 'packages/persist-file/README.md', '/packages/persist-file-format.md'],
    ['../../docs/agent.md', 'packages/agent/README.md', '/agent.md'],
    ['core.testing.md#tiercontract', 'docs/api/core.md', '/api/core.testing.md#tiercontract'],
  ])('leads from page to page: %s in %s', (link, file, page) => {
    expect(linkOnSite(link, file, repository)).toBe(page);
  });

  it.each([
    ['lib/case.mjs', 'tools/bench/README.md', 'blob/main/tools/bench/lib/case.mjs'],
    ['../redis', 'tools/bench/README.md', 'tree/main/tools/redis'],
    ['./CHANGELOG.md', 'packages/core/README.md', 'blob/main/packages/core/CHANGELOG.md'],
    ['../../README.md', 'packages/core/README.md', 'blob/main/README.md'],
    ['../src/read.ts#L10', 'packages/core/FORMAT.md', 'blob/main/packages/src/read.ts#L10'],
  ])('leads from a page to what is none, where it can be seen: %s in %s', (link, file, path) => {
    expect(linkOnSite(link, file, repository)).toBe(`${repository}/${path}`);
  });

  it.each(['#races', 'https://nodejs.org', 'mailto:someone@localhost', '/start'])(
    'leaves %s as it is',
    (link) => {
      expect(linkOnSite(link, 'docs/start.md', repository)).toBe(link);
    },
  );
});
