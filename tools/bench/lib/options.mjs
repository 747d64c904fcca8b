import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { peerNames } from './contestant.mjs';

export const usage = `usage: node tools/bench/bench.mjs [options]

  --only hit,miss       only these cases: ${cases.map(({ name }) => name).join(', ')}
  --peers lru-cache     only these peers, 'none' for none: ${peerNames.join(', ')}
  --long                five runs of everything, longer rounds, more sizes
  --report FOLDER       where the report goes, with its plots and figures; tools/bench/.cache/report unless told
  --record              renews the report in tools/bench/report and the comparison in README.md; with --only
                        it renews those cases
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
      json: { type: 'string' },
      report: { type: 'string' },
      record: { type: 'boolean', default: false },
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
  if (values.record && (values.peers !== undefined || values.subject !== undefined)) {
    throw new Error('--record takes all peers and the packages as they are built');
  }
  return {
    ...values,
    build: !values['no-build'] && values.subject === undefined,
    cases: cases.filter(({ asked, name }) =>
      names === undefined ? values.long || asked !== true : names.includes(name),
    ),
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
