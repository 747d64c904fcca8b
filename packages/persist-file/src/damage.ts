import { CacheError } from '@acache/core';

/** One thing that was found wrong with a file. */
export interface Damage {
  readonly kind: 'head' | 'block' | 'bytes' | 'end';
  readonly offset: number;
  readonly length: number;
}

/** What was found wrong with a file, and what it cost. */
export interface DamageReport {
  readonly damages: readonly Damage[];
  /** Blocks that are lost with what they held. */
  readonly lostBlocks: number;
  /** Older entries that are whole, of which it cannot be proved that nothing newer was lost. */
  readonly dropped: number;
}

/** The one error that tells of all damage that an opening found. */
export function damagedError(path: string, report: DamageReport): CacheError {
  const { damages, lostBlocks, dropped } = report;
  const bytes = damages.reduce((sum, { length }) => sum + length, 0);
  const first = damages[0];
  const where = first === undefined ? '' : `, first at byte ${first.offset}`;
  return new CacheError(
    'ERR_ACACHE_DAMAGED',
    `'${path}' is damaged: ${bytes} bytes in ${damages.length} places cannot be read${where}; ` +
      `${lostBlocks} blocks are lost, and ${dropped} older entries were dropped since newer ones may ` +
      `have been among them; everything else was restored`,
  );
}

/** Told when what was written cannot be read any more while the file is in use. */
export function lostError(path: string, entries: number): CacheError {
  return new CacheError(
    'ERR_ACACHE_DAMAGED',
    `'${path}' was damaged while it was in use: ${entries} entries are no longer kept in it until ` +
      `they are set again`,
  );
}
