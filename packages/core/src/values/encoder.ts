import { prototypeOf, shapeOf } from '../class-shape.js';
import { bytesOfBigInt } from './bigint-bytes.js';
import { binaryOfBuffer, binaryOfView, type Binary } from './binary.js';
import { ByteWriter } from './byte-writer.js';
import type { CustomType, CustomTypes } from './custom-type.js';
import { OpenValues, steps } from './open-values.js';
import { partsOfError } from './error-parts.js';
import { ShapeTable } from './shape-table.js';
import { FORMAT_VERSION, MAX_REGEXP_CHARACTERS, NEAR_SHAPES, Tag } from './tags.js';
import { Unserializable, unserializableError } from './unserializable.js';

/** An array costs a byte for every hole, and one line makes four billion of them. */
const MAX_HOLES = 1_000_000;
/** The number of a custom value while what stands for it is being written. */
const UNFINISHED = -1;

/**
 * Writes values, one after the other, each to bytes of its own. What is being written lies in a list, not on
 * the stack, so that no nesting is too deep.
 */
export class Encoder {
  readonly #types: CustomTypes;
  readonly #writer = new ByteWriter();
  readonly #shapes = new ShapeTable();
  readonly #open = new OpenValues();
  /** Every object met so far, numbered in the order in which they were met. */
  #references = new Map<object, number>();
  #holes = 0;
  #regExpCharacters = 0;

  constructor(types: CustomTypes) {
    this.#types = types;
  }

  /** @throws CacheError `ERR_ACACHE_UNSERIALIZABLE` */
  encode(root: unknown): Uint8Array {
    try {
      this.#writer.u8(FORMAT_VERSION);
      this.#write(root);
      while (this.#open.depth > 0) this.#advance();
      return this.#writer.take();
    } catch (error) {
      throw unserializableError(error, this.#open.path());
    } finally {
      this.#reset();
    }
  }

  #reset(): void {
    this.#writer.clear();
    this.#shapes.clear();
    this.#open.clear();
    if (this.#references.size > 0) this.#references = new Map();
    this.#holes = 0;
    this.#regExpCharacters = 0;
  }

  /** Writes the children of the innermost open value, up to the first that has children itself. */
  #advance(): void {
    const { depth, innermost } = this.#open;
    const { children, count } = innermost;
    while (innermost.at < count) {
      const child = children[innermost.at++];
      // What is read meanwhile may have shortened the array.
      if (child === undefined && !Object.hasOwn(children, innermost.at - 1)) this.#hole();
      else this.#write(child);
      if (this.#open.depth !== depth) return;
    }
    if (innermost.custom) this.#references.set(innermost.custom, innermost.reference);
    this.#open.pop();
  }

  #hole(): void {
    if (++this.#holes > MAX_HOLES) throw new Unserializable(`one of over ${MAX_HOLES} holes`);
    this.#writer.u8(Tag.Hole);
  }

  #write(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#writer.text(value);
      case 'number':
        return this.#writer.number(value);
      case 'object':
        return value === null ? this.#writer.u8(Tag.Null) : this.#object(value);
      case 'boolean':
        return this.#writer.u8(value ? Tag.True : Tag.False);
      case 'undefined':
        return this.#writer.u8(Tag.Undefined);
      case 'bigint':
        return this.#bigint(value);
      case 'function':
      case 'symbol':
        throw new Unserializable(`a ${typeof value}, which has no form in bytes`);
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.#writer.u8(Tag.BigInt64);
      this.#writer.i64(value);
      return;
    }
    this.#writer.u8(Tag.BigInt);
    this.#writer.u8(value < 0n ? 1 : 0);
    this.#sized(bytesOfBigInt(value < 0n ? -value : value));
  }

  #sized(bytes: Uint8Array): void {
    this.#writer.u32(bytes.length);
    this.#writer.bytes(bytes);
  }

  #object(value: object): void {
    const reference = this.#references.get(value);
    if (reference !== undefined) return this.#again(reference);
    this.#references.set(value, this.#references.size);
    const prototype = prototypeOf(value);
    if (prototype === Object.prototype) return this.#properties(value, Object.keys(value));
    if (prototype === Array.prototype && Array.isArray(value)) return this.#array(value);
    if (prototype === null) {
      this.#writer.u8(Tag.NullPrototype);
      return this.#properties(value, Object.keys(value));
    }
    const type = this.#types.of(prototype);
    if (type) return this.#custom(value, type);
    this.#instance(value, prototype);
  }

  #again(reference: number): void {
    if (reference === UNFINISHED) {
      throw new Unserializable('a cycle through a custom type, which has to be made of whole data');
    }
    this.#writer.u8(Tag.Reference);
    this.#writer.varint(reference);
  }

  #properties(value: object, keys: readonly string[]): void {
    let values: readonly unknown[] = Object.values(value);
    // A getter may have added or deleted properties.
    if (values.length !== keys.length)
      values = keys.map((key) => Reflect.get(value, key) as unknown);
    this.#shaped(keys, values);
  }

  #shaped(keys: readonly string[], values: readonly unknown[]): void {
    const shape = this.#shapes.find(keys);
    if (shape === undefined) {
      this.#writer.u8(Tag.NewShape);
      this.#writer.varint(keys.length);
      for (const key of keys) this.#writer.text(key);
    } else if (shape < NEAR_SHAPES) {
      this.#writer.u8(Tag.NearShape + shape);
    } else {
      this.#writer.u8(Tag.FarShape);
      this.#writer.varint(shape);
    }
    this.#open.push(values, keys.length, steps.property, keys);
  }

  #array(value: readonly unknown[]): void {
    // A Proxy may say anything, and something else the next time.
    const length = value.length >>> 0;
    this.#writer.u8(Tag.Array);
    this.#writer.varint(length);
    this.#open.push(value, length, steps.element);
  }

  #custom(value: object, type: CustomType): void {
    const reference = this.#references.size - 1;
    this.#references.set(value, UNFINISHED);
    this.#writer.u8(Tag.Custom);
    this.#shaped([type.name], [type.encode(value)]);
    this.#open.innermost.custom = value;
    this.#open.innermost.reference = reference;
  }

  /** An object of a class, known by the built-in that it is based on. */
  #instance(value: object, prototype: object): void {
    if (Array.isArray(value)) return this.#array(value);
    const shape = shapeOf(prototype);
    if (ArrayBuffer.isView(value)) return this.#binary(binaryOfView(value, shape.name));
    const base = shape.base || Object.prototype.toString.call(value).slice(8, -1);
    switch (base) {
      case 'Map':
        return this.#map(value as Map<unknown, unknown>);
      case 'Set':
        return this.#set(value as Set<unknown>);
      case 'Date':
        this.#writer.u8(Tag.Date);
        return this.#writer.f64(Date.prototype.getTime.call(value));
      case 'RegExp':
        return this.#regExp(value);
      case 'URL':
        this.#writer.u8(Tag.Url);
        return this.#writer.text(Reflect.get(URL.prototype, 'href', value));
      case 'Error':
        return this.#error(value);
      case 'ArrayBuffer':
      case 'SharedArrayBuffer':
        return this.#binary(binaryOfBuffer(value));
      case 'Number':
        return this.#boxed(Number.prototype.valueOf.call(value));
      case 'String':
        return this.#boxed(String.prototype.valueOf.call(value));
      case 'Boolean':
        return this.#boxed(Boolean.prototype.valueOf.call(value));
      case 'BigInt':
        return this.#boxed(BigInt.prototype.valueOf.call(value));
    }
    const keys = Object.keys(value);
    if (shape.base !== '' || (keys.length === 0 && (!shape.plain || shape.inherits))) {
      throw new Unserializable(
        `of type ${shape.name || base}, whose state cannot be read. Give the serializer a custom type for it`,
      );
    }
    this.#properties(value, keys);
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    const children: unknown[] = [];
    Map.prototype.forEach.call(map, (value: unknown, key: unknown) => children.push(key, value));
    this.#writer.u8(Tag.Map);
    this.#writer.u32(children.length / 2);
    this.#open.push(children, children.length, steps.entry);
  }

  #set(set: ReadonlySet<unknown>): void {
    const children: unknown[] = [];
    Set.prototype.forEach.call(set, (value: unknown) => children.push(value));
    this.#writer.u8(Tag.Set);
    this.#writer.u32(children.length);
    this.#open.push(children, children.length, steps.member);
  }

  #regExp(value: object): void {
    const source = Reflect.get(RegExp.prototype, 'source', value);
    this.#regExpCharacters += source.length;
    if (this.#regExpCharacters > MAX_REGEXP_CHARACTERS) {
      throw new Unserializable(
        `one of regular expressions of together over ${MAX_REGEXP_CHARACTERS} characters`,
      );
    }
    this.#writer.u8(Tag.RegExp);
    this.#writer.text(source);
    this.#writer.text(Reflect.get(RegExp.prototype, 'flags', value));
  }

  #boxed(primitive: unknown): void {
    this.#writer.u8(Tag.Boxed);
    this.#write(primitive);
  }

  #binary({ kind, bytes }: Binary): void {
    if (bytes.length > 0xffff_ffff) throw new Unserializable('larger than 4 GiB');
    this.#writer.u8(Tag.Binary);
    this.#writer.u8(kind);
    this.#sized(bytes);
  }

  #error(error: object): void {
    const { kind, hidden, keys, values } = partsOfError(error);
    this.#writer.u8(Tag.Error);
    this.#writer.u8(kind);
    this.#writer.u8(hidden);
    this.#shaped(keys, values);
  }
}
