import type { Writable } from 'node:stream';

/**
 * Writes a line. Where nobody reads on, as behind `| head`, that is enough.
 *
 * @throws (rejects) with why it could not be written
 */
export function writeLine(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // What fails is an event as well, which would end the process.
    stream.once('error', () => undefined);
    stream.write(`${text}\n`, (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      if (error && code !== 'EPIPE') reject(error);
      else resolve();
    });
  });
}
