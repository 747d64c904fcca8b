import { InputError } from './input-error.js';
import { parseOptions } from './options.js';

describe('parseOptions', () => {
  it('has a default for everything', () => {
    expect(parseOptions([])).toEqual({
      trace: undefined,
      requests: 100_000,
      concurrency: 32,
      maxSize: undefined,
      ttl: null,
      policy: 'lru',
      help: false,
    });
  });

  it('takes what it is given', () => {
    const line =
      '--trace my.txt --requests all --concurrency 1 --max-size 500 --ttl 10m --policy lru';
    expect(parseOptions(line.split(' '))).toEqual({
      trace: 'my.txt',
      requests: Infinity,
      concurrency: 1,
      maxSize: 500,
      ttl: '10m',
      policy: 'lru',
      help: false,
    });
    expect(parseOptions(['--requests=20', '--max-size=none', '--ttl=5000'])).toMatchObject({
      requests: 20,
      maxSize: null,
      ttl: 5000,
    });
    expect(parseOptions(['--max-size', '0']).maxSize).toBe(0);
    expect(parseOptions(['-h']).help).toBe(true);
  });

  it.each([
    ['--requests 0', "--requests must be a whole number of at least 1 or 'all', got '0'"],
    ['--requests many', "--requests must be a whole number of at least 1 or 'all', got 'many'"],
    ['--requests=-5', "--requests must be a whole number of at least 1 or 'all', got '-5'"],
    ['--concurrency 1.5', "--concurrency must be a whole number of at least 1, got '1.5'"],
    ['--concurrency 1e3', "--concurrency must be a whole number of at least 1, got '1e3'"],
    [
      '--concurrency 99999999999999999',
      "--concurrency must be a whole number of at least 1, got '99999999999999999'",
    ],
    ['--concurrency=', "--concurrency must be a whole number of at least 1, got ''"],
    ['--max-size big', "--max-size must be a whole number such as 1376, or 'none', got 'big'"],
    ['--max-size', "Option '--max-size <value>' argument missing; --help lists the options"],
    ['--max-size -5', "--max-size must be a whole number such as 1376, or 'none', got '-5'"],
    ['--policy fifo', "--policy must be lru, got 'fifo'"],
    ['--maxsize 5', "Unknown option '--maxsize'; --help lists the options"],
    ['--help=yes', "Option '-h, --help' does not take an argument; --help lists the options"],
    ['trace.txt', "Unexpected argument 'trace.txt'; --help lists the options"],
  ])('refuses %s in one line', (line, message) => {
    expect(() => parseOptions(line.split(' '))).toThrow(new InputError(message));
  });
});
