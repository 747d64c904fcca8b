/** The Markdown files that the site leaves out, as globs from the root of the repository. */
export const leftOut = [
  'README.md',
  'examples/**',
  'packages/*/!(*.md)/**',
  'packages/*/CHANGELOG.md',
  'tools/!(bench)/**',
  'tools/bench/*/**',
];

/**
 * The page that a file of the repository becomes.
 * @param file - its path from the root of the repository
 * @returns the path of the page from the root of the site, with `.md`; undefined where a file is no page
 */
export function pageOf(file: string): string | undefined {
  if (file === 'CONTRIBUTING.md') return 'contributing.md';
  if (file === 'tools/bench/README.md') return 'benchmarks.md';
  const [, name = '', document = ''] = /^packages\/([^/]+)\/([^/]+)\.md$/.exec(file) ?? [];
  if (document === 'README') return `packages/${name}.md`;
  if (document === 'CHANGELOG') return undefined;
  if (document !== '') return `packages/${name}-${document.toLowerCase()}.md`;
  return /^docs\/(.+\.md)$/.exec(file)?.[1];
}
