import { describeValue } from '../describe-value.js';
import type { Serializer } from '../serializer.js';
import { CustomTypes, type CustomType } from './custom-type.js';
import { damagedError } from './damaged.js';
import { Decoder } from './decoder.js';
import { Encoder } from './encoder.js';

/** Options of `valueSerializer`. */
export interface ValueSerializerOptions {
  /**
   * Classes whose instances come back as such.
   * @defaultValue `[]` - an instance of a class of yours comes back as a plain object
   */
  readonly types?: readonly CustomType[];
}

/**
 * Turns values into bytes and back, the same in every process, version and runtime.
 *
 * What comes back is what went in, as `structuredClone` has it: `undefined`, bigints, Dates, Maps, typed
 * arrays, errors and so on, with shared references and cycles. Beyond it, holes stay holes, boxed and
 * null-prototype objects stay what they are, a Buffer stays a Buffer where there are Buffers, and errors keep all
 * their own properties. An instance of a class is given back as a plain object with its own enumerable
 * properties, unless `types` says otherwise.
 *
 * @throws InvalidOptionError when a type is none, or two have one name or one class
 */
export function valueSerializer(options: ValueSerializerOptions = {}): Serializer {
  const types = new CustomTypes(options.types ?? []);
  let idleEncoder: Encoder | undefined;
  let idleDecoder: Decoder | undefined;
  return {
    serialize(value) {
      // A getter or a custom type may serialize something while this one is at work.
      const encoder = idleEncoder ?? new Encoder(types);
      idleEncoder = undefined;
      try {
        return encoder.encode(value);
      } finally {
        idleEncoder = encoder;
      }
    },
    deserialize(bytes) {
      if (!isBytes(bytes)) {
        throw damagedError(`expected a Uint8Array, got ${describeValue(bytes)}`, 0);
      }
      // The same goes for a custom type that deserializes.
      const decoder = idleDecoder ?? new Decoder(types);
      idleDecoder = undefined;
      try {
        return decoder.decode(bytes);
      } finally {
        idleDecoder = decoder;
      }
    },
  };
}

function isBytes(bytes: unknown): boolean {
  // Those of another realm are told by their name only, which takes longer.
  if (bytes instanceof Uint8Array) return true;
  return Object.prototype.toString.call(bytes) === '[object Uint8Array]';
}
