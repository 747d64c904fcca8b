/** The first byte of everything that is written. It changes when readers of old must not try. */
export const FORMAT_VERSION = 1;

/** The highest first byte that may yet be a version; other formats begin with what comes after it. */
export const MAX_VERSION = 15;

/**
 * What the first byte of a value says; docs/value-format.md tells what follows it.
 *
 * 0x00–0x7f are the integers 0–127, 0x80–0xbf are texts of 0–63 bytes, 0xc0–0xdf are objects of one of the
 * first 32 shapes.
 */
export const Tag = {
  ShortText: 0x80,
  NearShape: 0xc0,
  Undefined: 0xe0,
  Null: 0xe1,
  False: 0xe2,
  True: 0xe3,
  Hole: 0xe4,
  Int8: 0xe5,
  Int16: 0xe6,
  Int32: 0xe7,
  Double: 0xe8,
  BigInt64: 0xe9,
  BigInt: 0xea,
  Utf8: 0xeb,
  Utf16: 0xec,
  NewShape: 0xed,
  FarShape: 0xee,
  NullPrototype: 0xef,
  Array: 0xf0,
  Map: 0xf1,
  Set: 0xf2,
  Date: 0xf3,
  RegExp: 0xf4,
  Url: 0xf5,
  Boxed: 0xf6,
  Binary: 0xf7,
  Error: 0xf8,
  Custom: 0xf9,
  Reference: 0xfa,
} as const;

/** How many shapes have a tag of their own. */
export const NEAR_SHAPES = Tag.Undefined - Tag.NearShape;
/** A longer text, in bytes of UTF-8, has its length apart from its tag. */
export const MAX_SHORT_TEXT = Tag.NearShape - Tag.ShortText - 1;

/**
 * How many characters the sources of all regular expressions in a value may have together. Some take the
 * platform 200 µs a character to make, `\p{RGI_Emoji}` for one.
 */
export const MAX_REGEXP_CHARACTERS = 1024;
