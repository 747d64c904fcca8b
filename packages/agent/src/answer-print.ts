/** What is known of an answer once it is gone. */
export interface AnswerPrint {
  /** 32 bits; equal for equal answers. */
  readonly hash: number;
  /** About how many bytes of content it has, names of properties not counted. */
  readonly size: number;
}

/** Not looked up for every character: that is slow where the globals are a sandbox's. */
const { imul } = Math;

/** Values that are looked at in one answer. */
const MAX_VALUES = 4096;
/** Characters and bytes that are looked at in one answer; of a text beyond that only a few. */
const MAX_UNITS = 131_072;
/** Longer texts and buffers are sampled. */
const MAX_TEXT = 65_536;
const SAMPLES = 4096;
const FEW_SAMPLES = 16;
/** Elements or properties of one container. */
const MAX_MEMBERS = 512;
const MAX_DEPTH = 32;

/**
 * The print of an answer, by value: the order of properties and of members of a `Map` or `Set` makes no
 * difference, nor does the class of an object. What cannot be looked into (functions, streams, instances
 * that show nothing) is compared by identity. Never throws, whatever getters and proxies do.
 *
 * The cost is bounded: of large texts, buffers and arrays it takes the beginning, the end and samples
 * between, of other large containers the beginning, and always the size. About a nanosecond per character,
 * and half a millisecond at most; only the names of an object's properties are listed in full.
 */
export function answerPrint(value: unknown): AnswerPrint {
  const reader = new AnswerReader();
  const hash = reader.read(value, 0);
  return { hash: hash >>> 0, size: reader.size };
}

class AnswerReader {
  size = 0;
  #values = MAX_VALUES;
  #units = MAX_UNITS;

  read(value: unknown, depth: number): number {
    if (this.#values-- <= 0) return seeds.unread;
    switch (typeof value) {
      case 'string':
        this.size += value.length;
        return this.#text(value, seeds.text);
      case 'number':
        this.size += 4;
        return numberHash(value);
      case 'bigint':
        this.size += 8;
        return bigintHash(value);
      case 'boolean':
        this.size += 1;
        return value ? seeds.true : seeds.false;
      case 'undefined':
        return seeds.undefined;
      case 'symbol':
        return this.#text(String(value), seeds.symbol);
      case 'function':
        return identityOf(value);
      case 'object':
        return value === null ? seeds.null : this.#object(value, depth);
    }
  }

  #object(value: object, depth: number): number {
    if (depth >= MAX_DEPTH) return seeds.unread;
    try {
      if (Array.isArray(value)) return this.#array(value, depth);
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) {
        return this.#properties(value, Object.keys(value), depth);
      }
      return this.#instance(value, depth);
    } catch {
      // A revoked proxy, say.
      return identityOf(value);
    }
  }

  #array(array: readonly unknown[], depth: number): number {
    let hash = mix(seeds.array, array.length);
    forEachSample(array.length, MAX_MEMBERS, (at) => {
      if (this.#values > 0) hash = mix(hash, this.#member(array, at, depth));
    });
    return hash;
  }

  #properties(value: object, names: readonly string[], depth: number): number {
    const count = Math.min(names.length, MAX_MEMBERS);
    let sum = 0;
    for (let at = 0; at < count && this.#values > 0; at++) {
      const name = names[at] as string;
      sum += mix(this.#text(name, seeds.name), this.#member(value, name, depth));
    }
    return mix(mix(seeds.object, names.length), sum | 0);
  }

  #member(value: object, name: string | number, depth: number): number {
    let member: unknown;
    try {
      member = (value as Record<string | number, unknown>)[name];
    } catch {
      return seeds.throws;
    }
    return this.read(member, depth + 1);
  }

  /** What is neither an array nor a plain object. */
  #instance(value: object, depth: number): number {
    if (ArrayBuffer.isView(value)) return this.#bytes(value);
    const tag = Object.prototype.toString.call(value);
    switch (tag) {
      case '[object Date]':
        this.size += 8;
        return mix(seeds.date, numberHash(Date.prototype.getTime.call(value)));
      case '[object Map]':
        return this.#map(value as Map<unknown, unknown>, depth);
      case '[object Set]':
        return this.#set(value as Set<unknown>, depth);
      case '[object ArrayBuffer]':
      case '[object SharedArrayBuffer]':
        return this.#bytes(new Uint8Array(value as ArrayBuffer));
      case '[object RegExp]':
      case '[object URL]':
      case '[object URLSearchParams]':
        return this.read((value as { toString(): string }).toString(), depth + 1);
      case '[object Number]':
      case '[object String]':
      case '[object Boolean]':
      case '[object BigInt]':
        return this.read((value as { valueOf(): unknown }).valueOf(), depth + 1);
      case '[object Error]':
        return this.#properties(value, ['name', 'message', ...Object.keys(value)], depth);
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') return this.read(toJSON.call(value, ''), depth + 1);
    const names = Object.keys(value);
    return names.length === 0 ? identityOf(value) : this.#properties(value, names, depth);
  }

  #map(map: Map<unknown, unknown>, depth: number): number {
    const { size } = map;
    let sum = 0;
    let left = MAX_MEMBERS;
    for (const [key, value] of Map.prototype.entries.call(map)) {
      if (left-- <= 0 || this.#values <= 0) break;
      sum += mix(this.read(key, depth + 1), this.read(value, depth + 1));
    }
    return mix(mix(seeds.map, size), sum | 0);
  }

  #set(set: Set<unknown>, depth: number): number {
    const { size } = set;
    let sum = 0;
    let left = MAX_MEMBERS;
    for (const value of Set.prototype.values.call(set)) {
      if (left-- <= 0 || this.#values <= 0) break;
      sum += mix(seeds.set, this.read(value, depth + 1));
    }
    return mix(mix(seeds.set, size), sum | 0);
  }

  #text(text: string, seed: number): number {
    const { length } = text;
    const count = this.#spend(length);
    let hash = mix(seed, length);
    if (count < length) {
      forEachSample(length, count, (at) => {
        hash = unit(hash, text.charCodeAt(at));
      });
      return mix(hash, seed);
    }
    // Two at a time: each step waits for the one before.
    const even = length - (length % 2);
    for (let at = 0; at < even; at += 2) {
      hash = unit(hash, text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
    }
    return mix(even < length ? unit(hash, text.charCodeAt(even)) : hash, seed);
  }

  #bytes(view: ArrayBufferView): number {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const { length } = bytes;
    this.size += length;
    let hash = mix(seeds.bytes, length);
    forEachSample(length, this.#spend(length), (at) => {
      hash = unit(hash, bytes[at] as number);
    });
    return mix(hash, seeds.bytes);
  }

  /** How many units of a text or buffer are looked at. */
  #spend(length: number): number {
    const isWhole = length <= MAX_TEXT && length <= this.#units;
    const count = isWhole ? length : Math.min(SAMPLES, Math.max(FEW_SAMPLES, this.#units));
    this.#units -= count;
    return count;
  }
}

/**
 * Visits all of a sequence, or if it is too long half of `count` at its beginning, a quarter evenly between,
 * and a quarter at its end, which is where a log grows.
 */
function forEachSample(length: number, count: number, visit: (at: number) => void): void {
  if (length <= count) {
    for (let at = 0; at < length; at++) visit(at);
    return;
  }
  const quarter = Math.floor(count / 4);
  // The end first: what is left of the values may not reach beyond the beginning.
  for (let at = length - quarter; at < length; at++) visit(at);
  for (let at = 0; at < 2 * quarter; at++) visit(at);
  const stride = (length - 3 * quarter) / (quarter + 1);
  for (let sample = 1; sample <= quarter; sample++) {
    visit(2 * quarter + Math.floor(sample * stride));
  }
}

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

function identityOf(value: object): number {
  let identity = identities.get(value);
  if (identity === undefined) identities.set(value, (identity = ++lastIdentity));
  return mix(seeds.identity, identity);
}

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);

function numberHash(value: number): number {
  // NaN has many bit patterns.
  doubles[0] = Number.isNaN(value) ? NaN : value;
  return mix(mix(seeds.number, words[0] as number), words[1] as number);
}

/** Of a huge one the lower bits: its text would take quadratic time. */
function bigintHash(value: bigint): number {
  const low = BigInt.asUintN(256, value);
  let hash: number = value < 0n ? seeds.negative : seeds.bigint;
  for (let shift = 0n; shift < 256n; shift += 32n) {
    hash = mix(hash, Number((low >> shift) & 0xffffffffn) | 0);
  }
  return hash;
}

/** One step of murmur3, for what counts by itself. */
function mix(hash: number, word: number): number {
  word = imul(word, 0xcc9e2d51);
  word = imul((word << 15) | (word >>> 17), 0x1b873593);
  hash ^= word;
  hash = imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** One step for the many units of a text: the multiplication carries upwards, the shift back down. */
function unit(hash: number, code: number): number {
  hash = imul(hash ^ code, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

/** Arbitrary, and apart from each other. */
const seeds = {
  undefined: 0x27d4eb2f,
  null: 0x165667b1,
  true: 0x2545f491,
  false: 0x1b56c4e9,
  number: 0x52dce729,
  bigint: 0x38495ab5,
  negative: 0x4cf5ad43,
  text: 0x811c9dc5 | 0,
  symbol: 0x5bd1e995,
  name: 0x61c88647,
  object: 0x3c6ef372,
  array: 0x510e527f,
  map: 0x1f83d9ab,
  set: 0x5be0cd19,
  bytes: 0x428a2f98,
  date: 0x71374491,
  identity: 0x3956c25b,
  throws: 0x59f111f1,
  unread: 0x243185be,
} as const;
