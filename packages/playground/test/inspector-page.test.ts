import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsyncCache } from '@acache/core';
import type { Browser } from 'playwright-core';
import { inspectorWith } from '../src/inspector/create-inspector.js';
import { barriersIn, faultsOf, startChromium } from './browser.js';
import { builtPage } from './built-page.js';

const WITH_INSTALLATION = 300_000;
jest.setTimeout(30_000);

describe('the page of an inspector, in Chromium', () => {
  const users = new AsyncCache<string, string>({ name: 'users', ttl: '1m' });
  const carts = new AsyncCache<string, string>({ name: 'carts' });
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    browser = await startChromium();
    const files = builtPage();
    const closed = inspectorWith([users, carts], { allow: () => true }, files);
    const open = { allow: () => true, showKeys: true, showValues: true, title: 'Our caches' };
    const opened = inspectorWith([users, carts], open, files);
    server = createServer((request, response) => {
      (request.url?.startsWith('/open') === true ? opened : closed)(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  }, WITH_INSTALLATION);
  afterAll(async () => {
    await browser.close();
    server.close();
    await Promise.all([users.close(), carts.close()]);
  });

  const urlOf = (path: string): string =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

  it('shows the caches under the path where it is mounted, and no key', async () => {
    const page = await browser.newPage();
    const faults = faultsOf(page);
    await page.goto(urlOf('/admin/caches'));
    await page.getByRole('button', { name: 'users', pressed: true }).waitFor();
    await Promise.all([1, 2, 3].map(() => users.get('user:ann', async () => 'secret')));
    await page.getByText('key 1').first().waitFor();
    await page.locator('[data-metric="of these joined"]', { hasText: '2' }).waitFor();
    expect(await page.content()).not.toMatch(/user:ann|secret/);

    await page.getByRole('button', { name: 'carts' }).click();
    await page.getByRole('heading', { name: 'carts' }).waitFor();
    expect(await page.evaluate('location.pathname')).toBe('/admin/caches/');
    expect(faults).toEqual([]);
    await page.close();
  });

  it.each(['light', 'dark'] as const)(
    'shows keys and values where it may, and bars nobody: %s',
    async (colorScheme) => {
      const page = await browser.newPage({ colorScheme });
      const faults = faultsOf(page);
      await page.goto(urlOf('/open/'));
      await page.getByRole('heading', { name: 'Our caches' }).waitFor();
      await users.get('user:ann', async () => 'secret');
      await page.getByRole('cell', { name: 'secret' }).waitFor();
      expect(await barriersIn(page)).toEqual([]);
      expect(faults).toEqual([]);
      await page.close();
    },
  );
});
