/**
 * The timed loops. Each contestant gets a copy of this module of its own, because two contestants
 * that share a loop also share its type feedback: the call in it becomes polymorphic, is no longer
 * inlined, and the fastest contestant loses most by that.
 *
 * Lists are a power of two long; a loop goes around them.
 *
 * @typedef {import('./data.mjs').Value} Value
 * @typedef {import('./contestant.mjs').Bulk} Bulk
 */

/** @param {string} contestant @returns {Promise<typeof import('./loops.mjs')>} */
export const loopsFor = (contestant) => import(`./loops.mjs?for=${contestant}`);

/**
 * @param {(key: string) => Value | undefined | PromiseLike<Value | undefined>} get
 * @param {string[]} keys
 * @param {number} from
 * @param {number} count
 */
export async function getAwaited(get, keys, from, count) {
  const mask = keys.length - 1;
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    sum += /** @type {Value} */ (await get(keys[i & mask])).id;
  }
  return sum;
}

/**
 * So many gets at once, again and again.
 *
 * @param {(key: string) => PromiseLike<Value | undefined>} get
 * @param {string[]} keys
 * @param {number} from
 * @param {number} count a multiple of `together`
 * @param {number} together
 */
export async function getTogether(get, keys, from, count, together) {
  const mask = keys.length - 1;
  const waiting = new Array(together);
  let sum = 0;
  for (let i = from; i < from + count; i += together) {
    for (let j = 0; j < together; j++) waiting[j] = get(keys[(i + j) & mask]);
    const values = await Promise.all(waiting);
    sum += /** @type {Value} */ (values[together - 1]).id;
  }
  return sum;
}

/**
 * @param {(keys: string[]) => Promise<Bulk>} getMany
 * @param {string[][]} bulks
 * @param {number} from
 * @param {number} count
 */
export async function getBulks(getMany, bulks, from, count) {
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    const values = await getMany(bulks[i % bulks.length]);
    sum += 'size' in values ? values.size : values.length;
  }
  return sum;
}

/**
 * @param {(key: string) => Value | undefined} get
 * @param {string[]} keys
 * @param {number} from
 * @param {number} count
 */
export function getAtOnce(get, keys, from, count) {
  const mask = keys.length - 1;
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    sum += /** @type {Value} */ (get(keys[i & mask])).id;
  }
  return sum;
}

/**
 * @param {(key: string, value: Value) => unknown} set
 * @param {string[]} keys
 * @param {Value[]} values as many as keys
 * @param {number} from
 * @param {number} count
 */
export function setAtOnce(set, keys, values, from, count) {
  const mask = keys.length - 1;
  for (let i = from; i < from + count; i++) set(keys[i & mask], values[i & mask]);
  return count;
}

/**
 * @param {(key: string) => PromiseLike<Value | undefined>} get
 * @param {string} key
 * @param {number} callers
 */
export async function crowd(get, key, callers) {
  const waiting = new Array(callers);
  for (let i = 0; i < callers; i++) waiting[i] = get(key);
  const values = await Promise.all(waiting);
  return /** @type {Value} */ (values[callers - 1]).id;
}

/**
 * One request: its loads are made at once, and awaited together.
 *
 * @param {import('./contestant.mjs').IdLoader} loader
 * @param {number[]} ids
 */
export async function loadTogether(loader, ids) {
  const loads = new Array(ids.length);
  for (let i = 0; i < ids.length; i++) loads[i] = loader.load(ids[i]);
  const values = await Promise.all(loads);
  return /** @type {Value} */ (values[ids.length - 1]).id;
}

/**
 * @param {(args: unknown[]) => number | undefined} find
 * @param {unknown[][]} inputs
 * @param {number} from
 * @param {number} count
 */
export function findByArguments(find, inputs, from, count) {
  const mask = inputs.length - 1;
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += find(inputs[i & mask]) ?? NaN;
  return sum;
}
