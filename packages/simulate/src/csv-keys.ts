import { CsvError, parse } from 'csv-parse';
import { pipeline, Readable } from 'node:stream';
import { InputError } from './input-error.js';
import { textOf } from './text-of.js';

const TOGETHER = 1000;
/** Bytes of a row that are read in any case; without a bound, an open quote would take in the rest of the file. */
const LONGEST = 262_144;
/** Bytes that may be on their way to the parser. */
const UNDERWAY = 262_144;

/** How far the parser was at the end of a row. */
interface Place {
  readonly bytes: number;
  readonly lines: number;
  readonly empty_lines: number;
}

/**
 * The keys in one column of a CSV file.
 *
 * @param column - its name in the first line, or its number from 1 on in a file without such a line
 */
export async function* csvKeys(
  content: AsyncIterable<Buffer>,
  column: string,
  file: string,
): AsyncGenerator<readonly string[]> {
  const number = /^[1-9]\d*$/.test(column) ? Number(column) : undefined;
  let at = number === undefined ? -1 : number - 1;
  let last: Place = { bytes: 0, lines: 0, empty_lines: 0 };
  /** @returns `null`, which is left out, for the line that names the columns */
  const keyOf = (row: readonly (Buffer | string)[], place: Place): string | null => {
    last = place;
    if (at < 0) {
      const names = row.map(textOf);
      at = names.indexOf(column);
      if (at >= 0) return null;
      throw new InputError(`'${file}' has no column '${column}'; its columns are ${named(names)}`);
    }
    const key = row[at];
    if (key !== undefined) return textOf(key);
    throw new InputError(
      `line ${place.lines} of '${file}' has ${row.length} columns; expected the key in column ${at + 1}`,
    );
  };
  const rows = parse({
    bom: true,
    encoding: null,
    relaxColumnCount: true,
    skipEmptyLines: true,
    onRecord: keyOf as never,
  });
  const endless = (why: string): InputError => {
    const line = last.lines + 1 + rows.info.empty_lines - last.empty_lines;
    return new InputError(
      `'${file}' is no CSV: the row that begins in line ${line} ${why}; expected a line, with each quote closed`,
    );
  };
  async function* bounded(): AsyncGenerator<Buffer> {
    let given = 0;
    for await (const piece of content) {
      if (given - last.bytes > LONGEST + UNDERWAY) throw endless(`has more than ${LONGEST} bytes`);
      given += piece.length;
      yield piece;
    }
  }
  let keys: string[] = [];
  try {
    const found = pipeline(Readable.from(bounded()), rows, () => undefined);
    for await (const key of found as AsyncIterable<string>) {
      keys.push(key);
      if (keys.length < TOGETHER) continue;
      yield keys;
      keys = [];
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') throw endless('has an open quote');
    throw new InputError(`'${file}' is no CSV: ${error.message}`);
  }
  yield keys;
}

function named(row: readonly string[]): string {
  return row.map((name) => `'${name}'`).join(', ');
}
