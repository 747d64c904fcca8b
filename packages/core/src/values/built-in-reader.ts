import { binaryFrom } from './binary.js';
import type { ByteReader } from './byte-reader.js';
import { NO_PRIMITIVE, readPrimitive, readText } from './read-primitive.js';
import { MAX_REGEXP_CHARACTERS, Tag } from './tags.js';

/** Reads the built-in objects of messages that hold no other values. */
export class BuiltInReader {
  readonly #reader: ByteReader;
  #regExpCharacters = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** Begins with another message. */
  begin(): void {
    this.#regExpCharacters = 0;
  }

  /** @returns `undefined` for a tag of something else */
  read(tag: number): object | undefined {
    switch (tag) {
      case Tag.Date:
        return new Date(this.#reader.f64('a date'));
      case Tag.RegExp:
        return this.#regExp();
      case Tag.Url:
        return this.#url();
      case Tag.Boxed:
        return this.#boxed();
      case Tag.Binary:
        return this.#binary();
      default:
        return undefined;
    }
  }

  #regExp(): RegExp {
    const source = readText(this.#reader, 'the source of a regular expression');
    const flags = readText(this.#reader, 'the flags of a regular expression');
    this.#regExpCharacters += source.length;
    if (this.#regExpCharacters > MAX_REGEXP_CHARACTERS) {
      throw this.#reader.damaged(
        `expected regular expressions of together up to ${MAX_REGEXP_CHARACTERS} characters`,
      );
    }
    try {
      return new RegExp(source, flags);
    } catch (error) {
      throw this.#reader.damaged('expected a regular expression that is valid here', error);
    }
  }

  #url(): URL {
    const href = readText(this.#reader, 'a URL');
    // What is written has its names in ASCII; making them so takes seconds for some.
    if (/[^ -~]/.test(href)) throw this.#reader.damaged('expected a URL in ASCII');
    try {
      return new URL(href);
    } catch (error) {
      throw this.#reader.damaged('expected a URL that is valid here', error);
    }
  }

  #boxed(): object {
    const primitive = readPrimitive(this.#reader, this.#reader.u8('a boxed primitive'));
    if (primitive === NO_PRIMITIVE || primitive === null || primitive === undefined) {
      throw this.#reader.damaged('expected a boxed string, number, boolean or bigint');
    }
    return Object(primitive) as object;
  }

  #binary(): object {
    const kind = this.#reader.u8('the kind of binary data');
    const length = this.#reader.u32('the length of binary data');
    const binary = binaryFrom(kind, this.#reader.bytes(length, 'binary data'));
    if (binary) return binary;
    throw this.#reader.damaged(`${length} bytes of binary data of kind ${kind} are none here`);
  }
}
