import { runCommand } from './command.js';
import type { PlaygroundOptions } from './start-playground.js';

/** Runs the command line without serving anything. */
async function command(
  args: string[],
  { fails, fileProblem = null }: { fails?: object; fileProblem?: string | null } = {},
) {
  const out: string[] = [];
  const error: string[] = [];
  const started: PlaygroundOptions[] = [];
  const output = {
    out: (text: string) => out.push(text),
    error: (text: string) => error.push(text),
  };
  const outcome = await runCommand(args, output, async (options = {}) => {
    started.push(options);
    if (fails !== undefined) throw Object.assign(new Error('it fails'), fails);
    const port = options.port ?? 5001;
    return { url: `http://localhost:${port}/`, port, fileProblem, close: async () => undefined };
  });
  return {
    code: 'code' in outcome ? outcome.code : undefined,
    out: out.join('\n'),
    error: error.join('\n'),
    started,
  };
}

describe('playground', () => {
  it('serves on port 5001 of this machine unless told otherwise', async () => {
    const { error, out, started } = await command([]);
    expect(started).toEqual([{}]);
    expect(out).toBe('The playground is at http://localhost:5001/ (Ctrl-C ends it)');
    expect(error).toBe('');
  });

  it('takes a port, a Redis and a file', async () => {
    const args = ['--port', '8080', '--redis', 'redis://localhost:6379', '--file', './items'];
    const { started } = await command(args);
    expect(started).toEqual([{ port: 8080, redis: 'redis://localhost:6379', file: './items' }]);
  });

  it('warns when others can reach it', async () => {
    expect((await command(['--host', '0.0.0.0'])).error).toMatch(/^Warning: it listens on 0.0.0.0/);
    expect((await command(['--host', '127.0.0.1'])).error).toBe('');
  });

  it('warns when the file is not used', async () => {
    const { error } = await command(['--file', 'x'], { fileProblem: 'process 7 has it' });
    expect(error).toBe('Warning: the file is not used. process 7 has it');
  });

  it('explains itself', async () => {
    const { code, out, started } = await command(['--help']);
    expect([code, started]).toEqual([0, []]);
    for (const option of ['--port', '--host', '--redis', '--file']) expect(out).toContain(option);
  });

  it.each([
    ["--port must be a number from 0 to 65535, got 'http'", ['--port', 'http']],
    ["--port must be a number from 0 to 65535, got '70000'", ['--port', '70000']],
    [
      "--redis must be a URL such as redis://localhost:6379, got 'localhost'",
      ['--redis', 'localhost'],
    ],
    ['--file must be a path', ['--file', '']],
    ["'--prot'", ['--prot', '1']],
    ['positional', ['5001']],
  ])('says what is wrong: %s', async (message, args) => {
    const { code, error, started } = await command(args);
    expect(error).toContain(message);
    expect(error).toContain('usage: playground');
    expect([code, started]).toEqual([2, []]);
  });

  it.each([
    [
      'Port 5001 is in use, by another playground perhaps. Take another one: --port 5002',
      'EADDRINUSE',
    ],
    ['Port 5001 may not be used by you', 'EACCES'],
    ["This machine has no address '10.9.9.9'.", 'EADDRNOTAVAIL'],
    ['it fails', 'EWHATEVER'],
  ])('says why it cannot serve: %s', async (message, code) => {
    const found = await command(['--host', '10.9.9.9'], { fails: { code } });
    expect(found.error).toContain(message);
    expect(found.code).toBe(1);
  });
});
