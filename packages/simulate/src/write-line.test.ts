import { Writable } from 'node:stream';
import { writeLine } from './write-line.js';

/** A stream that is told how each of its writes ends. */
function streamThat(ends: (text: string) => Error | undefined): Writable {
  return new Writable({
    write: (piece, _encoding, done) => {
      done(ends(String(piece)));
    },
  });
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: it does not work`), { code });
}

describe('writeLine', () => {
  it('writes a line', async () => {
    const written: string[] = [];
    await writeLine(
      streamThat((text) => void written.push(text)),
      'a report',
    );
    expect(written).toEqual(['a report\n']);
  });

  it('says when there is no room', async () => {
    const full = streamThat(() => failure('ENOSPC'));
    await expect(writeLine(full, 'a report')).rejects.toThrow('ENOSPC');
  });

  it('is content when nobody reads on', async () => {
    const left = streamThat(() => failure('EPIPE'));
    await expect(writeLine(left, 'a report')).resolves.toBeUndefined();
  });
});
