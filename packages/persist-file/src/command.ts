import { parseArgs } from 'node:util';
import { describeInspection } from './describe-inspection.js';
import { inspect, UninspectableError } from './inspect.js';

const USAGE = `usage: persist-file inspect FILE [--json]

Shows what is in a file of @acache/persist-file and whether it is damaged. The file is not changed and
may be in use. Exit code: 0 it is good, 1 it is damaged, 2 it cannot be read.`;

/** Where the command says something. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/**
 * Runs the command line.
 *
 * @param args - without the program's own name
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], output: Output): Promise<0 | 1 | 2> {
  const parsed = parse(args);
  const [command, path, ...rest] = parsed?.positionals ?? [];
  const { json: isJson = false, help = false } = parsed?.values ?? {};
  if (help || command === 'help') {
    output.out(USAGE);
    return 0;
  }
  if (command !== 'inspect' || path === undefined || rest.length > 0) {
    output.error(USAGE);
    return 2;
  }
  try {
    const found = await inspect(path);
    output.out(isJson ? JSON.stringify(found, undefined, 2) : describeInspection(found));
    return found.damage.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UninspectableError)) throw error;
    output.error(isJson ? JSON.stringify({ error: error.message }) : error.message);
    return 2;
  }
}

/** @returns `undefined` for what is no option of it */
function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
  } catch {
    return undefined;
  }
}
