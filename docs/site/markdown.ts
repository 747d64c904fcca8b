import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { anchorOf } from './anchor.js';

/** What is made, or is not ours. */
const skipped = new Set(['node_modules', 'dist', 'coverage', 'api']);

/** The Markdown files under a folder that people wrote, as paths from it. */
export function markdownIn(root: string, folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : markdownIn(root, path);
    }
    return entry.name.endsWith('.md') ? [relative(root, path).split(sep).join('/')] : [];
  });
}

/** The text of a Markdown file without its code, in which nothing is a link or a heading. */
function prose(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/^(```+)[^]*?^\1$/gm, '')
    .replace(/<!--[^]*?-->/g, '');
}

/** Where the links and images of a Markdown file lead, as they are written. */
export function linksIn(file: string): string[] {
  const text = prose(file).replace(/`[^`\n]*`/g, '`code`');
  return [...text.matchAll(/\]\(<?([^()\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm)].map(
    ([, inline, definition]) => inline ?? definition ?? '',
  );
}

/** The anchors that a Markdown file has by its headings. */
export function anchorsIn(file: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...prose(file).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const anchor = anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return new Set(anchors);
}
