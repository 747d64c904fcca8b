/** Turns values into bytes and back, for what lies outside this process's memory. */
export interface Serializer {
  /** @throws when the value has no form in bytes; it is then kept in memory only */
  serialize(value: unknown): Uint8Array;
  /** @throws when the bytes are none of its own; the entry is then a miss */
  deserialize(bytes: Uint8Array): unknown;
}
