/** How many bytes the id of a write has. */
export const ID_LENGTH = 16;
/** Where it stands in what is written. */
export const ID_AT = 4;
/** How many bytes at the start tell whose write it is. */
export const BEGINNING_LENGTH = ID_AT + ID_LENGTH;
/** How many bytes a checksum has. */
export const CRC_LENGTH = 4;

export const PLACEHOLDER = 1;
export const ENTRY = 2;

const MAGIC = 0xacca;
const VERSION = 1;

/** What every write begins with: magic, version, kind and id. */
export function writeBeginning(out: Buffer, kind: number, id: Buffer): void {
  out.writeUInt16BE(MAGIC, 0);
  out[2] = VERSION;
  out[3] = kind;
  writeExactly(out, ID_AT, id, ID_LENGTH);
}

/** The first bytes of every write of this kind and id: enough to tell which write it is. */
export function beginningOf(kind: number, id: Buffer): Buffer {
  const out = Buffer.allocUnsafe(BEGINNING_LENGTH);
  writeBeginning(out, kind, id);
  return out;
}

/** The kind of what stands in these bytes, or in words why it is none. */
export function kindOf(bytes: Buffer): number | string {
  if (bytes.length < ID_AT || bytes.readUInt16BE(0) !== MAGIC) return 'it is no envelope';
  const version = bytes[2] as number;
  if (version > VERSION) return `it is of a newer version, ${version}`;
  if (version !== VERSION) return `there is no version ${version}`;
  return bytes[3] as number;
}

/** The id of the write that a head, or a placeholder, is of. */
export function idIn(bytes: Buffer): Buffer {
  return bytes.subarray(ID_AT, BEGINNING_LENGTH);
}

/** Writes an id or a stamp and tells where it ends. A shorter one would leave stray memory behind it. */
export function writeExactly(out: Buffer, at: number, bytes: Buffer, length: number): number {
  if (bytes.length !== length) {
    throw new RangeError(`an id or stamp must have ${length} bytes, got ${bytes.length}`);
  }
  out.set(bytes, at);
  return at + length;
}
