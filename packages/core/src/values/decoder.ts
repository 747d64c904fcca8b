import { CacheError } from '../errors.js';
import { BuiltInReader } from './built-in-reader.js';
import { ByteReader } from './byte-reader.js';
import type { CustomType, CustomTypes } from './custom-type.js';
import { bareError } from './error-parts.js';
import { ObjectShape, type Properties } from './object-shape.js';
import { NO_PRIMITIVE, readPrimitive, readText } from './read-primitive.js';
import { MOST_RECENT, RecentShapes } from './recent-shapes.js';
import { FORMAT_VERSION, MAX_VERSION, NEAR_SHAPES, Tag } from './tags.js';

/** Says that the value holds others, which come next. */
const OPENED = Symbol('opened');
/** Stands where an array has no element. */
const HOLE = Symbol('hole');
/** Stands for a custom value until what it is made of was read. */
const UNFINISHED = Symbol('unfinished');

/** A value that holds others, and how far these were read. */
interface OpenValue {
  /** What it is; an object of whatever shape is `Tag.NewShape`. */
  readonly kind: number;
  value: unknown;
  readonly shape: ObjectShape;
  /** How many values it holds; a Map two for each entry. */
  readonly count: number;
  /** How many were read. */
  at: number;
  /** The key of a Map whose value comes next. */
  key: unknown;
  /** How many properties of an error, at the start, are not enumerable; the number of a custom value. */
  readonly detail: number;
}

/** Items of a list that is used again. */
const KEPT = 16;

const noShape = new ObjectShape([]);

/**
 * Reads values, one after the other, each from bytes that may be anything. What is being read lies in a list,
 * not on the stack, and memory is taken only for what was read, so that no few bytes can ask for much. Of what
 * was read it keeps the names of some properties, and nothing else.
 */
export class Decoder {
  readonly #types: CustomTypes;
  readonly #reader = new ByteReader();
  readonly #builtIns = new BuiltInReader(this.#reader);
  readonly #recentShapes = new RecentShapes();
  #shapes: ObjectShape[] = [];
  #references: unknown[] = [];
  #open: OpenValue[] = [];

  constructor(types: CustomTypes) {
    this.#types = types;
  }

  /** @throws CacheError `ERR_ACACHE_DAMAGED` */
  decode(bytes: Uint8Array): unknown {
    this.#reader.begin(bytes);
    try {
      this.#version();
      const value = this.#whole();
      const { left } = this.#reader;
      if (left === 0) return value;
      throw this.#reader.damaged(`expected the end, and ${left} more bytes are there`);
    } catch (error) {
      if (error instanceof CacheError) throw error;
      // A Map has at most 16 million entries in V8, for one.
      throw this.#reader.damaged('the value is larger than this platform allows', error);
    } finally {
      this.#reset();
    }
  }

  #reset(): void {
    this.#reader.end();
    this.#builtIns.begin();
    this.#shapes = emptied(this.#shapes);
    this.#references = emptied(this.#references);
    this.#open = emptied(this.#open);
  }

  #version(): void {
    const version = this.#reader.u8('the version');
    if (version === FORMAT_VERSION) return;
    throw this.#reader.damaged(
      version > FORMAT_VERSION && version <= MAX_VERSION
        ? `they are of version ${version}, and ${FORMAT_VERSION} is the newest known here`
        : `expected a version, and ${version} is none`,
    );
  }

  #whole(): unknown {
    let open: OpenValue | undefined;
    for (;;) {
      let value = this.#read();
      if (value === OPENED) {
        open = this.#open[this.#open.length - 1];
        continue;
      }
      // What is whole goes into what is open, which may be whole thereby.
      for (;;) {
        if (!open) return value;
        this.#put(open, value);
        if (open.at < open.count) break;
        ({ value } = open);
        this.#open.pop();
        open = this.#open[this.#open.length - 1];
      }
    }
  }

  #put(open: OpenValue, value: unknown): void {
    const index = open.at++;
    switch (open.kind) {
      case Tag.NewShape:
        open.shape.assign(open.value as Properties, index, value);
        return;
      case Tag.Array:
        if (value === HOLE) (open.value as unknown[]).length++;
        else (open.value as unknown[]).push(value);
        return;
      case Tag.Map:
        if (index % 2 === 0) open.key = value;
        else (open.value as Map<unknown, unknown>).set(open.key, value);
        return;
      case Tag.Set:
        (open.value as Set<unknown>).add(value);
        return;
      case Tag.Error:
        open.shape.define(open.value as object, index, value, index >= open.detail);
        return;
      case Tag.Custom:
        open.value = this.#make(open.value as CustomType, value);
        this.#references[open.detail] = open.value;
    }
  }

  #make(type: CustomType, data: unknown): unknown {
    try {
      return type.decode(data);
    } catch (error) {
      throw this.#reader.damaged(`the custom type '${type.name}' could not decode its data`, error);
    }
  }

  /** The next value, `OPENED` if there are others in it that have to be read, or `HOLE`. */
  #read(): unknown {
    const tag = this.#reader.u8('a value');
    const primitive = readPrimitive(this.#reader, tag);
    if (primitive !== NO_PRIMITIVE) return primitive;
    if (tag < Tag.NearShape + NEAR_SHAPES) return this.#object(tag, {});
    switch (tag) {
      case Tag.NewShape:
      case Tag.FarShape:
        return this.#object(tag, {});
      case Tag.NullPrototype:
        return this.#object(this.#reader.u8('a shape'), Object.create(null) as object);
      case Tag.Array:
        return this.#container(tag, [], this.#count(this.#reader.varint('a count'), 1));
      case Tag.Map:
        return this.#container(tag, new Map(), this.#count(this.#reader.u32('a count'), 2));
      case Tag.Set:
        return this.#container(tag, new Set(), this.#count(this.#reader.u32('a count'), 1));
      case Tag.Error:
        return this.#error();
      case Tag.Custom:
        return this.#custom();
      case Tag.Reference:
        return this.#reference();
      case Tag.Hole:
        if (this.#open.at(-1)?.kind === Tag.Array) return HOLE;
        throw this.#reader.damaged('expected a value, got a hole outside of an array');
    }
    const value = this.#builtIns.read(tag);
    if (!value) throw this.#reader.damaged(`expected a value, and none begins with ${tag}`);
    this.#references.push(value);
    return value;
  }

  /** @param each - how many values one of what is counted consists of, at least a byte each */
  #count(count: number, each: number): number {
    const { left } = this.#reader;
    if (count * each <= left) return count * each;
    throw this.#reader.damaged(`expected ${count * each} values, and ${left} bytes are left`);
  }

  #container(kind: number, value: object, count: number, shape = noShape, detail = 0): unknown {
    this.#references.push(value);
    if (count === 0) return value;
    this.#open.push({ kind, value, shape, count, at: 0, key: undefined, detail });
    return OPENED;
  }

  #object(tag: number, value: object): unknown {
    const shape = this.#shape(tag);
    return this.#container(Tag.NewShape, value, shape.keys.length, shape);
  }

  #shape(tag: number): ObjectShape {
    if (tag === Tag.NewShape) return this.#newShape();
    const isNear = tag >= Tag.NearShape && tag < Tag.NearShape + NEAR_SHAPES;
    if (!isNear && tag !== Tag.FarShape) {
      throw this.#reader.damaged(`expected a shape, and none begins with ${tag}`);
    }
    const index = isNear ? tag - Tag.NearShape : this.#reader.varint('a shape');
    const shape = this.#shapes[index];
    if (shape) return shape;
    throw this.#reader.damaged(`expected a shape, and ${index} is none of ${this.#shapes.length}`);
  }

  #newShape(): ObjectShape {
    // Further shapes are likely to be of dictionaries, and would displace those that come again.
    const isEarly = this.#shapes.length < MOST_RECENT;
    const known = isEarly ? this.#recentShapes.next(this.#reader) : undefined;
    const shape = known ?? this.#readShape(isEarly);
    this.#shapes.push(shape);
    return shape;
  }

  #readShape(keep: boolean): ObjectShape {
    const start = this.#reader.at;
    const count = this.#count(this.#reader.varint('a count'), 1);
    const keys: string[] = [];
    while (keys.length < count) keys.push(readText(this.#reader, 'the name of a property'));
    const shape = new ObjectShape(keys);
    if (keep) this.#recentShapes.add(shape, this.#reader, start);
    return shape;
  }

  #error(): unknown {
    const kind = this.#reader.u8('the class of an error');
    const error = bareError(kind);
    if (!error) throw this.#reader.damaged(`expected the class of an error, and ${kind} is none`);
    const hidden = this.#reader.u8('a count');
    const shape = this.#shape(this.#reader.u8('a shape'));
    return this.#container(Tag.Error, error, shape.keys.length, shape, hidden);
  }

  #custom(): unknown {
    const { keys } = this.#shape(this.#reader.u8('a shape'));
    const type = keys.length === 1 ? this.#types.named(keys[0]) : undefined;
    if (!type) throw this.#reader.damaged(`no custom type '${keys.join()}' was given`);
    const number = this.#references.push(UNFINISHED) - 1;
    this.#open.push({
      kind: Tag.Custom,
      value: type,
      shape: noShape,
      count: 1,
      at: 0,
      key: undefined,
      detail: number,
    });
    return OPENED;
  }

  #reference(): unknown {
    const index = this.#reader.varint('a reference');
    if (index >= this.#references.length) {
      const { length } = this.#references;
      throw this.#reader.damaged(`expected a reference, and ${index} is none of ${length} objects`);
    }
    const value = this.#references[index];
    if (value !== UNFINISHED) return value;
    throw this.#reader.damaged('expected a whole value, got a custom one that refers to itself');
  }
}

/** A short list keeps its memory, so that the next small value, as most are, need not take it anew. */
function emptied<T>(list: T[]): T[] {
  if (list.length > KEPT) return [];
  while (list.length > 0) list.pop();
  return list;
}
