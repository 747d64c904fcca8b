import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linksIn, anchorsIn, markdownIn } from './markdown.js';
import { targetOf } from './links.js';
import { pageOf } from './pages.js';
import { sidebar } from './sidebar.js';

const root = join(__dirname, '../..');
const files = markdownIn(root);
const pages = files.flatMap((file) => {
  const page = pageOf(file);
  return page === undefined ? [] : [{ file, page }];
});
const listed = sidebar(publishedNames()).flatMap(({ items }) => items.map(({ link }) => link));

describe('the pages of the site', () => {
  it('are all in the sidebar', () => {
    const missing = pages
      .map(({ page }) => `/${page.replace(/(index)?\.md$/, '')}`)
      .filter((link) => !listed.includes(link));
    expect(missing).toEqual([]);
  });

  it('are all that the sidebar has, beside the API', () => {
    const known = new Set(pages.map(({ page }) => `/${page.replace(/(index)?\.md$/, '')}`));
    expect(listed.filter((link) => !link.startsWith('/api/') && !known.has(link))).toEqual([]);
  });

  it('have one title each', () => {
    for (const { file } of pages) {
      const text = readFileSync(join(root, file), 'utf8').replace(/^(```+)[^]*?^\1$/gm, '');
      expect([file, text.match(/^# .+$/gm)?.length]).toEqual([file, 1]);
    }
  });
});

describe('the links of the documentation', () => {
  it.each(files)('lead to what there is: %s', (file) => {
    const links = linksIn(join(root, file));
    expect(links.filter((link) => !leadsSomewhere(link, file))).toEqual([]);
  });
});

function leadsSomewhere(link: string, file: string): boolean {
  const [, anchor] = /#(.*)$/.exec(link) ?? [];
  const target = link.startsWith('#') ? file : targetOf(link, file);
  // Of a site, an absolute link would work only there.
  if (target === undefined) return !link.startsWith('/');
  // It comes with the first release.
  if (target.endsWith('/CHANGELOG.md')) return true;
  const path = join(root, target);
  if (!existsSync(path)) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsIn(path).has(anchor);
}

/** The names of the published packages; what else can be imported of them is in the API alone. */
function publishedNames(): string[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const manifest = join(root, 'packages', folder, 'package.json');
    if (!existsSync(manifest)) return [];
    const { name, private: hidden } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name: string;
      private?: boolean;
    };
    return hidden === true ? [] : [name];
  });
}
