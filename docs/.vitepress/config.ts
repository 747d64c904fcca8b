import { relative, sep } from 'node:path';
import { defineConfig } from 'vitepress';
import { repository as root } from '../../tools/workspace.mjs';
import { anchorOf } from '../site/anchor.js';
import { linkOnSite } from '../site/links.js';
import { leftOut, pageOf } from '../site/pages.js';
import { promql } from '../site/promql.js';
import { publishedEntries, repositoryUrl } from '../site/published.mjs';
import { sidebar } from '../site/sidebar.js';

/** What VitePress tells its Markdown renderer: a page that is rewritten has its file in `realPath`. */
interface Rendering {
  readonly path: string;
  readonly realPath?: string;
}

/** Two levels. */
const icon =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"%3E' +
  '%3Cg fill="%233a5ccc"%3E%3Crect x="4" y="2" width="8" height="5" rx="1"/%3E' +
  '%3Crect x="1" y="9" width="14" height="5" rx="1"/%3E%3C/g%3E%3C/svg%3E';

export default defineConfig({
  title: 'acache',
  description: 'An async cache for TypeScript in which an invalidation always wins.',
  lang: 'en',
  head: [['link', { rel: 'icon', href: icon }]],
  // GitHub Pages serves a project from a folder: the workflow says which.
  base: process.env.DOCS_BASE ?? '/',
  // All of the repository, since the README of a package is its page.
  srcDir: '..',
  srcExclude: leftOut,
  rewrites: (file) => pageOf(file) ?? file,
  cacheDir: '../.cache/vitepress',
  // The playground and the reader's own Redis.
  ignoreDeadLinks: 'localhostLinks',
  vite: {
    // What git ignores would be watched, too.
    server: { watch: { ignored: ['**/.cache/**', '**/.nx/**', '**/dist/**'] } },
    // One page is the reference of all of core.
    build: { chunkSizeWarningLimit: 2000 },
  },
  markdown: {
    anchor: { slugify: anchorOf },
    languages: [promql],
    theme: { light: 'github-light', dark: 'github-dark' },
    config: (md) => {
      md.core.ruler.push('links', ({ tokens, env }) => {
        const { realPath, path } = env as Rendering;
        const file = relative(root, realPath ?? path)
          .split(sep)
          .join('/');
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.type === 'link_open' ? token.attrGet('href') : null;
          if (href !== null) token.attrSet('href', linkOnSite(href, file, repositoryUrl));
        }
      });
    },
  },
  // The reference is made of docstrings: its entries link to them.
  transformPageData: ({ filePath }) =>
    filePath.startsWith('docs/api/') ? { frontmatter: { editLink: false } } : undefined,
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Recipes', link: '/recipes/http-service' },
      { text: 'Production', link: '/production' },
      { text: 'API', link: '/api/' },
      { text: 'GitHub', link: repositoryUrl },
    ],
    sidebar: sidebar(publishedEntries().map(({ specifier }) => specifier)),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // What explains a thing comes before what lists it. (It is carried to the browser as text.)
          searchOptions: {
            boostDocument: (id: string) => (id.includes('/api/') ? 0.3 : 1),
          },
        },
      },
    },
    editLink: { pattern: `${repositoryUrl}/edit/main/:path`, text: 'Change this page' },
    footer: { message: 'MIT licence' },
  },
});
