import type { ServerResponse } from 'node:http';
import { send, sendText } from '../http/send.js';
import { bundle, type PageBundle } from './bundle.js';
import { pageDocument } from './document.js';

/** What belongs to a page, besides its data. */
export type PageFile = '' | 'app.js' | 'app.css';

export function isPageFile(name: string): name is PageFile {
  return name === '' || name === 'app.js' || name === 'app.css';
}

/** Answers with a file of a page. */
export function sendPage(
  response: ServerResponse,
  file: PageFile,
  {
    mode,
    title,
    files = bundle,
  }: {
    mode: 'playground' | 'inspector';
    title: string;
    files?: PageBundle | undefined;
  },
): void {
  if (file === '') send(response, 200, 'text/html', pageDocument(mode, title));
  else if (files === undefined) sendText(response, 500, 'the page was not built: npm run build');
  else if (file === 'app.js') send(response, 200, 'text/javascript', files.script);
  else send(response, 200, 'text/css', files.style);
}
