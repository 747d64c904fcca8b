import { posix } from 'node:path';
import { pageOf } from './pages.js';

/**
 * A link as the site has it: pages lead to pages, everything else in the repository to where it can be seen.
 * @param link - as it is written, relative to the file, so that it works where the file is
 * @param file - the file that has it, from the root of the repository
 * @param repository - the address at which the repository can be seen
 */
export function linkOnSite(link: string, file: string, repository: string): string {
  const target = targetOf(link, file);
  if (target === undefined) return link;
  const [hash = ''] = /#.*$/.exec(link) ?? [];
  const page = pageOf(target);
  if (page !== undefined) return `/${page}${hash}`;
  const isFile = posix.basename(target).includes('.');
  return `${repository}/${isFile ? 'blob' : 'tree'}/main/${target}${hash}`;
}

/** The file or folder of the repository that a link leads to; undefined for an anchor and for what is elsewhere. */
export function targetOf(link: string, file: string): string | undefined {
  if (/^([a-z][a-z\d+.-]*:|\/|#|$)/i.test(link)) return undefined;
  const path = decodeURI(link.replace(/[?#].*$/, ''));
  return posix.join(posix.dirname(file), path).replace(/\/$/, '');
}
