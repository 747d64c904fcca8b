#!/usr/bin/env node
// Fails on every link of the built site that leads to no page or to no anchor of one. VitePress looks at pages only.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const site = join(import.meta.dirname, '../.vitepress/dist');
const base = process.env.DOCS_BASE ?? '/';

const pages = new Map(
  readdirSync(site, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.html'))
    .map((file) => [file.replaceAll('\\', '/'), readFileSync(join(site, file), 'utf8')]),
);
const anchors = new Map([...pages].map(([page, html]) => [page, all(html, /\bid="([^"]+)"/g)]));

const broken = [...pages].flatMap(([page, html]) =>
  all(mainOf(html), /<a [^>]*href="([^"]+)"/g)
    .filter((href) => !leadsSomewhere(href, page))
    .map((href) => `${page}: ${href}`),
);
for (const link of broken) console.error(link);
if (broken.length > 0) process.exitCode = 1;
else console.log(`check-links: every link between the ${pages.size} pages leads somewhere`);

function leadsSomewhere(href, from) {
  if (/^[a-z][a-z\d+.-]*:/i.test(href)) return true;
  const [path = '', anchor] = href.split('#');
  const page = pageAt(path, from);
  if (!pages.has(page)) return false;
  return anchor === undefined || anchors.get(page)?.includes(decodeURIComponent(anchor)) === true;
}

function pageAt(path, from) {
  if (path === '') return from;
  const page = path.startsWith('/')
    ? posix.relative(base, path)
    : posix.join(posix.dirname(from), path);
  return page === '' || path.endsWith('/') ? posix.join(page, 'index.html') : page;
}

/** What the page itself says, without the navigation around it. */
function mainOf(html) {
  return html.slice(html.indexOf('<main'), html.indexOf('</main>'));
}

function all(text, pattern) {
  return [...text.matchAll(pattern)].map(([, found = '']) => found);
}
