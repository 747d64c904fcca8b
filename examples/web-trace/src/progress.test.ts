import { Writable } from 'node:stream';
import { withProgress } from './progress.js';

/** A stand-in for stdout that keeps what was written. */
function output(isTTY: boolean) {
  const written: string[] = [];
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    }),
    { isTTY, columns: 100, cursorTo: () => true, clearLine: () => true, moveCursor: () => true },
  ) as unknown as typeof process.stdout;
  return { stream, text: () => written.join('') };
}

async function count(onProgress: (done: number) => void): Promise<string> {
  for (let done = 1; done <= 1000; done++) onProgress(done);
  return 'counted';
}

describe('withProgress', () => {
  it('writes a plain line for each quarter where there is no terminal', async () => {
    const { stream, text } = output(false);
    expect(await withProgress('Counting', 1000, count, stream)).toBe('counted');
    expect(text()).toBe('Counting  25 %\nCounting  50 %\nCounting  75 %\nCounting 100 %\n');
  });

  it('draws a bar on a terminal, and gives the cursor back even if the work fails', async () => {
    const { stream, text } = output(true);
    await withProgress('Counting', 1000, count, stream);
    expect(text()).toContain('100 % | 1,000 of 1,000');

    const failing = output(true);
    const work = () => Promise.reject(new Error('broken'));
    await expect(withProgress('Counting', 1000, work, failing.stream)).rejects.toThrow('broken');
    for (const shown of [text(), failing.text()]) {
      expect(shown.lastIndexOf('\x1b[?25h')).toBeGreaterThan(shown.lastIndexOf('\x1b[?25l'));
    }
  });
});
