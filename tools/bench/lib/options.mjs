import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { peerNames } from './contestant.mjs';

export const usage = `usage: node tools/bench/bench.mjs [options]

  --only hit,miss       only these cases: ${cases.map(({ name }) => name).join(', ')}
  --peers lru-cache     only these peers, 'none' for none: ${peerNames.join(', ')}
  --long                five runs of everything, longer rounds, more sizes
  --quick               fewer entries and one run in the cases that begin with persist-, which otherwise
                        take minutes
  --json FILE           writes every figure to FILE
  --subject FILE        measures this module, which exports AsyncCache and makeKey, or DataLoader, and
                        builds nothing
  --no-build            measures what is in packages/*/dist as it is
  --help`;

/**
 * @param {string[]} args
 * @throws {Error} that says what was expected
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      long: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      subject: { type: 'string' },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const names = list(values.only);
  const peers = values.peers === 'none' ? [] : list(values.peers);
  check(
    '--only',
    names,
    cases.map(({ name }) => name),
  );
  check('--peers', peers, peerNames);
  return {
    ...values,
    build: !values['no-build'] && values.subject === undefined,
    cases: names === undefined ? cases : cases.filter(({ name }) => names.includes(name)),
    peers,
  };
}

/** @param {string | undefined} text */
const list = (text) => text?.split(',').map((part) => part.trim());

/**
 * @param {string} option
 * @param {string[] | undefined} got
 * @param {readonly string[]} known
 */
function check(option, got, known) {
  const stranger = got?.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new Error(`${option} must name some of ${known.join(', ')}; got '${stranger}'`);
  }
}
