import type { Browser, Page } from 'playwright-core';
import { servePlayground, type Playground } from '../src/start-playground.js';
import { barriersIn, faultsOf, startChromium } from './browser.js';
import { builtPage } from './built-page.js';

// Whoever has no Chromium and may install one waits for that.
const WITH_INSTALLATION = 300_000;
jest.setTimeout(30_000);

describe('the page of a playground, in Chromium', () => {
  let browser: Browser;
  let playground: Playground;
  let page: Page;
  let faults: string[];
  const files = builtPage();

  beforeAll(async () => {
    browser = await startChromium();
  }, WITH_INSTALLATION);
  afterAll(() => browser.close());

  beforeEach(async () => {
    playground = await servePlayground({ port: 0 }, files);
    page = await open('light');
  });
  afterEach(async () => {
    expect(faults).toEqual([]);
    await page.context().close();
    await playground.close();
  });

  async function open(colorScheme: 'light' | 'dark', width = 1300): Promise<Page> {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const opened = await context.newPage();
    faults = faultsOf(opened);
    await opened.goto(playground.url);
    await opened.getByRole('heading', { name: 'Entries' }).waitFor();
    return opened;
  }

  const metric = (name: string): Promise<string> =>
    page.locator(`[data-metric="${name}"]`).innerText();
  const progress = (text: string): Promise<void> => page.getByText(text).first().waitFor();
  const press = (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click();

  it('runs a collection, and shows who loaded, who joined, and what is cached', async () => {
    await press('50 same + 50 different');
    await progress('50 same + 50 different: 100 of 100, done');
    const timeline = page.getByRole('img', { name: /51 loaded, 49 joined, 51 loads/ });
    await timeline.waitFor();
    await page.getByText('51 in memory').waitFor();
    expect([await metric('loads'), await metric('of these joined')]).toEqual(['51', '49']);

    await press('50 same + 50 different');
    await page.getByRole('img', { name: /: 100 hit, 0 loads/ }).waitFor();
    await page.locator('[data-metric="hit rate"]', { hasText: '50 %' }).waitFor();

    await page.getByText('As a table').click();
    expect(
      await page.getByRole('table', { name: 'Calls of the last burst' }).getByRole('row').count(),
    ).toBe(101);
    for (const name of ['Hit rate: now 100 %', 'Latency of calls: median', 'Per second: loads']) {
      await page.getByRole('img', { name: new RegExp(name) }).waitFor();
    }
  });

  it('deletes, expires and invalidates entries where they are shown', async () => {
    await press('Warm up');
    await page.getByText('50 in memory').waitFor();
    const remove = page.getByRole('button', { name: /^Delete findItem.*item 7$/ });
    await remove.focus();
    await page.keyboard.press('Enter');
    await page.getByText('49 in memory').waitFor();
    // Whoever works by keyboard is not thrown back to the top of the page.
    await expect(page.evaluate('document.activeElement.id')).resolves.toBe('entries-title');
    await page.getByRole('button', { name: 'Invalidate the tag odd' }).first().click();
    await page.getByText('25 in memory').waitFor();
    await page.getByRole('button', { name: /^Expire findItem.*item 8$/ }).click();
    await page.getByText('24 in memory').waitFor();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByText('Memory is empty.').waitFor();
  });

  it('drives what is chosen, as it is set up', async () => {
    await page.getByRole('radio', { name: /Batch loader/ }).check();
    await page.getByLabel('maxBatchSize').fill('30');
    await page.getByLabel('maxSize').fill('');
    await page.getByLabel('policy').selectOption('tinylfu');
    await press('Apply: make a new cache');
    await page.getByText('batch: { window: 5, maxBatchSize: 30 }').waitFor();
    await press('100 unique');
    await page.getByRole('img', { name: /: 100 loaded, 4 loads/ }).waitFor();

    await press('Check these settings');
    await page.getByText('6 of 6 pass').waitFor();
    await page.locator('[data-check="batching"]').getByText('pass').click();
    await page.getByText('keys in each: 30, 30, 1').waitFor();
  });

  it('says what is wrong, and keeps the cache it has', async () => {
    await page.getByLabel('ttl', { exact: true }).fill('5 minutes');
    await press('Apply: make a new cache');
    await page.getByRole('alert').getByText("got '5 minutes'").waitFor();
    expect(faults.splice(0)).toEqual([expect.stringContaining('400')]);
    await page.getByLabel('ttl', { exact: true }).fill('5m');
    await press('Apply: make a new cache');
    await page.getByText("ttl: '5m'").waitFor();
    expect(await page.getByRole('alert').innerText()).toBe('');
  });

  it('shows what one key does, also while the database is down', async () => {
    await press('Get');
    await page.getByText('from load 1 (loaded').first().waitFor();
    await press('Take it down');
    await page.getByRole('button', { name: 'It is down: bring it up', pressed: true }).waitFor();
    await press('Force refresh');
    await page.getByText('the database is down (load 2)').first().waitFor();
    await press('Set');
    await page.getByRole('status').getByText("set 'item 1'").waitFor();
    await page.getByRole('cell', { name: 'set by hand' }).waitFor();
  });

  it('stops a run', async () => {
    await page.getByLabel('Calls', { exact: true }).first().fill('100000');
    await page.getByLabel('of these, one same key').fill('0');
    await page.getByLabel('others: different keys').fill('100000');
    await press('Run the mix');
    await press('Stop');
    await progress(', stopped');
  });

  it('finds the loop that an agent runs in', async () => {
    await page.getByLabel('The agent').selectOption('cycle');
    await press('Let it run');
    await page.getByRole('cell', { name: 'Cycle detected: check_stock -> update_stock' }).waitFor();
    await page.getByLabel('The agent').selectOption('work');
    await press('Let it run');
    await page.getByText('12 calls, tools ran 12 times, 0 loops found').waitFor();
  });

  it('can be used by keyboard alone', async () => {
    await page.keyboard.press('Tab');
    await expect(page.evaluate('document.activeElement.textContent')).resolves.toMatch(/Skip to/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('radio', { name: /^AsyncLRU/, checked: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('import { AsyncLRU }').waitFor();
    await page.getByRole('button', { name: '100 same' }).focus();
    await page.keyboard.press('Space');
    await progress('100 same: 100 of 100, done');
    await page.getByRole('status').getByText('1 miss, 99 joined').waitFor();
  });

  it.each(['light', 'dark'] as const)('bars nobody when it is %s', async (scheme) => {
    await page.context().close();
    page = await open(scheme);
    await page.getByLabel('Calls', { exact: true }).first().fill('6');
    await page.getByLabel('of these, one same key').fill('3');
    await press('Run the mix');
    await progress('6 of 6, done');
    await page.getByText('As a table').click();
    await press('Check these settings');
    await page.getByText('6 of 6 pass').waitFor();
    await page.locator('[data-check="herd"]').getByText('pass').click();
    expect(await barriersIn(page)).toEqual([]);
  });

  it('is light or dark by choice, and remembers it', async () => {
    const theme = (): Promise<unknown> => page.evaluate('document.documentElement.dataset.theme');
    expect(await theme()).toBe('light');
    await page.getByLabel('Theme').selectOption('dark');
    expect(await theme()).toBe('dark');
    await page.reload();
    await page.getByLabel('Theme').waitFor();
    expect(await theme()).toBe('dark');
  });

  it('fits a narrow screen', async () => {
    await page.context().close();
    page = await open('light', 360);
    await press('50 same + 50 different');
    await progress('100 of 100, done');
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(0);
  });
});
