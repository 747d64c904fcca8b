import { parseArgs } from 'node:util';
import { describeError } from './describe-error.js';
import { isLoopback } from './http/origin-guard.js';
import { startPlayground, type Playground, type PlaygroundOptions } from './start-playground.js';

const USAGE = `usage: playground [options]

Serves a page on which to set up a cache, put load on it, and watch what it does.

  --port PORT   where it listens; 5001 unless told otherwise, 0 for any that is free
  --host HOST   which address it listens on; unless told otherwise this machine alone can reach it
  --redis URL   a Redis behind the cache, such as redis://localhost:6379
  --file PATH   a file that keeps the entries
  --help        this`;

/** Where the command says something. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/** What became of a command line: a playground that is served, or the code to exit with. */
export type Outcome = { readonly playground: Playground } | { readonly code: 0 | 1 | 2 };

/**
 * Runs the command line.
 *
 * @param args - without the program's own name
 */
export async function runCommand(
  args: readonly string[],
  output: Output,
  start: typeof startPlayground = startPlayground,
): Promise<Outcome> {
  let options: PlaygroundOptions | 'help';
  try {
    options = optionsIn(args);
  } catch (error) {
    output.error(`${describeError(error)}\n\n${USAGE}`);
    return { code: 2 };
  }
  if (options === 'help') {
    output.out(USAGE);
    return { code: 0 };
  }
  const { host, port = 5001 } = options;
  try {
    const playground = await start(options);
    if (host !== undefined && !isLoopback(host)) {
      output.error(
        `Warning: it listens on ${host}. Whoever can reach this machine there can drive the cache, without a password.`,
      );
    }
    if (playground.fileProblem !== null) {
      output.error(`Warning: the file is not used. ${playground.fileProblem}`);
    }
    output.out(`The playground is at ${playground.url} (Ctrl-C ends it)`);
    return { playground };
  } catch (error) {
    output.error(whyNot(error, port, host));
    return { code: 1 };
  }
}

function optionsIn(args: readonly string[]): PlaygroundOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      redis: { type: 'string' },
      file: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return 'help';
  const { file, host, port, redis } = values;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw new TypeError(`--port must be a number from 0 to 65535, got '${port}'`);
  }
  if (host === '') throw new TypeError('--host must be an address or a name, got nothing');
  if (file === '') throw new TypeError('--file must be a path, got nothing');
  if (redis !== undefined && !isRedisUrl(redis)) {
    throw new TypeError(`--redis must be a URL such as redis://localhost:6379, got '${redis}'`);
  }
  return {
    ...(port !== undefined && { port: Number(port) }),
    ...(host !== undefined && { host }),
    ...(redis !== undefined && { redis }),
    ...(file !== undefined && { file }),
  };
}

function isRedisUrl(text: string): boolean {
  try {
    return ['redis:', 'rediss:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

function whyNot(error: unknown, port: number, host = '127.0.0.1'): string {
  switch ((error as { code?: unknown }).code) {
    case 'EADDRINUSE':
      return `Port ${port} is in use, by another playground perhaps. Take another one: --port ${port + 1}`;
    case 'EACCES':
      return `Port ${port} may not be used by you. Take one above 1023: --port 5001`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address '${host}'.`;
    default:
      return describeError(error);
  }
}
