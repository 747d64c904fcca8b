/**
 * One thing that is measured, in several variants.
 *
 * @typedef {object} Case
 * @property {string} name as in `--only`
 * @property {string} about one line for the head of its table
 * @property {string} baseline the contestant that every other is a multiple of
 * @property {Unit} unit of one sample
 * @property {readonly Figure[]} [figures] where one run tells more than one thing; each then has samples
 *   of its own, under `sampleOf(contestant, figure)`
 * @property {boolean} [down] a line of the table for each figure, a column for each contestant
 * @property {boolean} [asked] whether it is run only where it is asked for, by name or by `--long`
 * @property {boolean} [grows] whether its variants are sizes, whose costs are compared
 * @property {boolean} [alone] each contestant in a process of its own; else the baseline, one peer
 *   and the subject share one and take turns
 * @property {string[]} [nodeFlags]
 * @property {number} [patience] milliseconds a process may take; three minutes unless told
 * @property {boolean} [redis] whether it needs a Redis
 * @property {(long: boolean) => number} [runs] processes of each contestant, who take turns;
 *   then the ratios are of those that ran side by side
 * @property {(variant: Variant, folder: string) => Promise<unknown>} [prepare] makes what the processes
 *   of a variant read, once, in a process of its own
 * @property {string} [needs] what the module that is measured must export; `AsyncCache` unless told
 * @property {(long: boolean) => Variant[]} variants
 * @property {(contestants: string[], variant: Variant, seconds: number, folder: string) => Promise<Samples>}
 *   measure the folder is on a disk, and of this variant alone
 *
 * @typedef {object} Variant
 * @property {string} label
 * @property {string[]} peers
 * @property {number} [entries]
 * @property {number | null} [ttl]
 * @property {boolean} [keep] whether a `DataLoader` keeps its promises; it does unless told otherwise
 * @property {boolean} [once] whether it is asked for each key once; else for every fourth key twice
 * @property {string} [phase] what the file goes through
 * @property {boolean} [synced] whether a file is waited for until it would outlive a loss of power
 *
 * @typedef {'ns' | 'µs' | 'ms' | 'B' | 'MB' | '/s' | '%' | ''} Unit
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {Unit} unit
 * @property {number} [most] what stands for so much or more
 * @property {'spread' | 'ratios'} [detail] what the table tells beside the median: the spread, or the ratios
 *   as well
 * @property {readonly string[]} [words] what the table says instead of 0, 1 …
 *
 * One number for each round, by contestant; rounds of one process belong together.
 * @typedef {Record<string, number[]>} Samples
 */

/** Long enough that nothing expires while it is measured. */
export const TTL = 600_000;

/** @param {number} entries */
export const short = (entries) =>
  entries >= 1e6 ? `${entries / 1e6}M` : entries >= 1e3 ? `${entries / 1e3}k` : `${entries}`;

/** @param {string} contestant @param {Figure | undefined} figure */
export const sampleOf = (contestant, figure) =>
  figure === undefined ? contestant : `${contestant}: ${figure.name}`;
