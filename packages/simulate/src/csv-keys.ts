import { parse } from 'csv-parse';
import { pipeline, Readable } from 'node:stream';
import { InputError } from './input-error.js';

const TOGETHER = 1000;

interface CsvRow {
  readonly record: string[];
  /** Up to the end of the row. */
  readonly info: { readonly lines: number };
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
  const rows = parse({ bom: true, info: true, relaxColumnCount: true, skipEmptyLines: true });
  const records = pipeline(Readable.from(content), rows, () => undefined);
  let at = number === undefined ? -1 : number - 1;
  let keys: string[] = [];
  try {
    for await (const { record: row, info } of records as AsyncIterable<CsvRow>) {
      if (at < 0) {
        at = row.indexOf(column);
        if (at >= 0) continue;
        throw new InputError(`'${file}' has no column '${column}'; its columns are ${named(row)}`);
      }
      const key = row[at];
      if (key === undefined) {
        throw new InputError(
          `line ${info.lines} of '${file}' has ${row.length} columns; expected the key in column ${at + 1}`,
        );
      }
      keys.push(key);
      if (keys.length < TOGETHER) continue;
      yield keys;
      keys = [];
    }
  } catch (error) {
    throw isCsvError(error) ? new InputError(`'${file}' is no CSV: ${error.message}`) : error;
  }
  yield keys;
}

function named(row: readonly string[]): string {
  return row.map((name) => `'${name}'`).join(', ');
}

/** One of csv-parse, whose message names the line. */
function isCsvError(error: unknown): error is Error {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('CSV_');
}
