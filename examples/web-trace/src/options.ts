import { parseArgs } from 'node:util';
import type { Duration } from '@acache/core';
import { InputError } from './input-error.js';

export const usage = `Plays a recorded web trace against Postgres (PGlite, in this process): once without a cache, once
through AsyncCache.

  npm run demo -- [options]

  --trace FILE      your own trace: text with one key a line, plain or .gz (blank lines are skipped);
                    or .u32 and .u32.gz: little-endian uint32 ids      default: web12, which is here
  --requests N      how many requests of the trace to play, or 'all'  default: 100000
  --concurrency N   how many requests are in flight at once           default: 32
  --max-size N      entries the cache may hold, or 'none'             default: a tenth of the keys
  --ttl DURATION    5000 (milliseconds), '5s', '10m' ..., or 'none'   default: none
  --policy NAME     what to evict: lru, the least recently used       default: lru
  --help            this text
`;

/** What the command line asks for. Absent means: decide by the trace. */
export interface Options {
  trace?: string;
  requests: number;
  concurrency: number;
  maxSize?: number | null;
  ttl: Duration | null;
  policy: 'lru';
  help: boolean;
}

/**
 * Reads the command line.
 * @throws InputError on an option that is unknown, lacks its value or has one that cannot be meant.
 */
export function parseOptions(args: readonly string[]): Options {
  const given = parse(args);
  return {
    trace: given.trace,
    requests:
      given.requests === 'all' ? Infinity : atLeastOne('--requests', given.requests, " or 'all'"),
    concurrency: atLeastOne('--concurrency', given.concurrency),
    maxSize: given['max-size'] === undefined ? undefined : sizeLimit(given['max-size']),
    ttl: duration(given.ttl),
    policy: policy(given.policy),
    help: given.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: withNegatives(args),
      options: {
        trace: { type: 'string' },
        requests: { type: 'string', default: '100000' },
        concurrency: { type: 'string', default: '32' },
        'max-size': { type: 'string' },
        ttl: { type: 'string', default: 'none' },
        policy: { type: 'string', default: 'lru' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    // Node adds advice in further sentences and lines; the first sentence says what is wrong.
    const [whatIsWrong] = (error as Error).message.split(/\.\s/);
    throw new InputError(`${whatIsWrong}; --help lists the options`);
  }
}

/** Reads `--x -1` as a value that is out of range, not as an option of that name. */
function withNegatives(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = joined.at(-1);
    if (/^-\d/.test(arg) && option !== undefined && /^--[a-z-]+$/.test(option)) {
      joined[joined.length - 1] = `${option}=${arg}`;
    } else joined.push(arg);
  }
  return joined;
}

function atLeastOne(option: string, text: string, orElse = ''): number {
  const value = wholeNumber(text);
  if (value === undefined || value < 1) {
    throw new InputError(`${option} must be a whole number of at least 1${orElse}, got '${text}'`);
  }
  return value;
}

function sizeLimit(text: string): number | null {
  if (text === 'none') return null;
  const value = wholeNumber(text);
  if (value === undefined) {
    throw new InputError(
      `--max-size must be a whole number such as 1376, or 'none', got '${text}'`,
    );
  }
  return value;
}

function policy(name: string): 'lru' {
  if (name === 'lru') return name;
  throw new InputError(`--policy must be lru, got '${name}'`);
}

/** A number is milliseconds. What else a duration may be is core's to say. */
function duration(text: string): Duration | null {
  if (text === 'none') return null;
  return wholeNumber(text) ?? (text as Duration);
}

function wholeNumber(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
