import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, posix } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from './find-chromium.mjs';

const built = (name, file) => `/node_modules/@acache/${name}/dist/esm/${file}.js`;
const imports = {
  '@acache/core': built('core', 'index'),
  '@acache/core/testing': built('core', 'testing'),
  '@acache/batch': built('batch', 'index'),
  '@acache/decorators': built('decorators', 'index'),
  '@acache/metrics': built('metrics', 'index'),
};

const page = `<!doctype html>
<script type="importmap">${JSON.stringify({ imports })}</script>`;

/**
 * Runs the smoke program in a page of a headless Chromium, as a site without a bundler would load it.
 * @param {string} folder where the program is, with the packages in its node_modules
 * @returns {Promise<string>}
 */
export async function smokeInChromium(folder) {
  const executablePath = findChromium();
  const server = createServer(serve(folder));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${port}/`);
    return await tab.evaluate(
      "import('/smoke.mjs').then(({ smoke }) => smoke()).then((kept) => kept + ' promises kept')",
    );
  } finally {
    await browser.close();
    server.close();
  }
}

const serve =
  (folder) =>
  ({ url = '/' }, response) => {
    if (url === '/') return response.setHeader('content-type', 'text/html').end(page);
    const file = join(folder, posix.normalize(url));
    if (!/\.m?js$/.test(url) || !existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
  };
