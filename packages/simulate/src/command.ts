import { access, constants, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { FORMATS, readLog, type LogFormat } from './access-log.js';
import { InputError } from './input-error.js';
import { plotSimulation } from './plot.js';
import { pngPainter } from './png.js';
import { describeSimulation } from './report.js';
import { TraceSampler } from './sampled-trace.js';
import { simulate } from './simulate.js';

const USAGE = `usage: simulate LOG [options]

Replays an access log on caches of several sizes and policies, and says what they would have served.

LOG                 one key a line, CSV, or ids of 32 bits (.u32); gzipped or not; - for standard input
  --format FORMAT   lines, csv or u32; by the name of the file where it is not said
  --column NAME     the column of a CSV file that has the keys, or its number from 1 on; default 1
  --sizes 100,1000  the sizes; by default ten, evenly spread
  --most N          accesses that are kept in memory; more are sampled by key; default 10000000
  --seed N          for the choices that a policy makes by chance; default 1
  --plot FILE       draws the hit ratios, into a file named .svg or .png
  --json            prints what was found as JSON`;

const MOST = 10_000_000;

/** Where the command says something, and finds something. */
export interface Output {
  readonly out: (text: string) => void | Promise<void>;
  readonly error: (text: string) => void;
  /** Shows how far it is, from 0 to 1, or `undefined` where that is not known; without it nothing is shown. */
  readonly progress?: (what: string, part: number | undefined) => void;
  /** Finds the optional peers. */
  readonly require: NodeJS.Require;
}

/**
 * Runs the command line.
 *
 * @param args - without the program's own name
 * @returns the exit code: 0, or 2 for what cannot be done
 */
export async function runCommand(args: readonly string[], output: Output): Promise<0 | 2> {
  try {
    const options = optionsFrom(args);
    if (options === undefined) {
      await print(USAGE, output);
      return 0;
    }
    await run(options, output);
    return 0;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    output.error(error.message);
    return 2;
  }
}

interface Options {
  readonly file: string;
  readonly format: LogFormat | undefined;
  readonly column: string | undefined;
  readonly sizes: readonly number[] | undefined;
  readonly most: number;
  readonly seed: number;
  readonly plot: string | undefined;
  readonly json: boolean;
}

async function run(options: Options, output: Output): Promise<void> {
  const { progress, require } = output;
  const { column, file, format, json, most, plot, seed, sizes } = options;
  // Before minutes of replaying, which would be in vain without a place for the plot, or the peers.
  if (plot !== undefined) await checkWritable(plot);
  const paint =
    plot?.endsWith('.png') === true ? await pngPainter(require) : (svg: string): string => svg;
  const sampler = new TraceSampler(most);
  const bytes = file === '-' ? undefined : await sizeOf(file);
  const read = (done: number): void => progress?.('reading', bytes && done / bytes);
  for await (const keys of readLog(file, { format, column, progress: read })) {
    for (const key of keys) sampler.add(key);
  }
  if (sampler.total === 0) throw new InputError(`'${file}' holds no keys`);
  const found = simulate(sampler.finish(), {
    sizes,
    seed,
    progress: (done, of) => progress?.('replaying', done / of),
  });
  await print(json ? JSON.stringify(found, undefined, 2) : describeSimulation(found), output);
  if (plot === undefined) return;
  await writeFile(plot, paint(plotSimulation(found, basename(file)))).catch((error: unknown) => {
    throw cannotWrite(plot, error);
  });
}

async function checkWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK);
    if ((await stat(file).catch(() => undefined))?.isDirectory() === true) {
      throw new Error('it is a folder');
    }
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, error: unknown): InputError {
  return new InputError(`cannot write '${file}': ${(error as Error).message}`);
}

async function print(text: string, { out }: Output): Promise<void> {
  try {
    await out(text);
  } catch (error) {
    throw new InputError(`cannot write to standard output: ${(error as Error).message}`);
  }
}

/** @returns `undefined` where only help is wanted */
function optionsFrom(args: readonly string[]): Options | undefined {
  const { positionals, values } = parsed(args);
  if (values.help === true) return undefined;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw new InputError(`expected one log, got ${positionals.length}\n\n${USAGE}`);
  }
  const { format, plot } = values;
  if (format !== undefined && !isFormat(format)) {
    throw new InputError(`--format must be ${FORMATS.join(', ')}, got '${format}'`);
  }
  if (plot !== undefined && !/\.(svg|png)$/.test(plot)) {
    throw new InputError(`--plot must be a file named .svg or .png, got '${plot}'`);
  }
  return {
    file,
    format,
    plot,
    column: values.column,
    sizes: values.sizes?.split(',').map((size) => wholeNumber(size, '--sizes', 1)),
    most: values.most === undefined ? MOST : wholeNumber(values.most, '--most', 1000),
    seed: values.seed === undefined ? 1 : wholeNumber(values.seed, '--seed', 0),
    json: values.json === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        format: { type: 'string' },
        column: { type: 'string' },
        sizes: { type: 'string' },
        most: { type: 'string' },
        seed: { type: 'string' },
        plot: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

function isFormat(given: string): given is LogFormat {
  return (FORMATS as readonly string[]).includes(given);
}

function wholeNumber(given: string, name: string, least: number): number {
  const number = Number(given.trim() === '' ? NaN : given);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new InputError(`${name} must be whole numbers of at least ${least}, got '${given}'`);
}

async function sizeOf(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true ? found.size : undefined;
}
