import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

/** Starts a headless Chromium; where there is none, it is got as for the other runtimes. */
export async function startChromium(): Promise<Browser> {
  const finder = join(__dirname, '../../../tools/runtimes/find-chromium.mjs');
  const executablePath = execFileSync(process.execPath, [finder]).toString().trim();
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** What went wrong in a page: an exception, an error on the console, something the policy forbade. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return faults;
}

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with a page for those who use it with a keyboard or a screen reader, or see little. */
export async function barriersIn(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(
    "axe.run({ resultTypes: ['violations'] })",
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`),
  );
}
