const decoder = new TextDecoder();

/**
 * The bytes of a whole number of at least 0, the highest first. It goes by way of hexadecimal digits, which
 * take time in proportion to their number; decimal ones take its square.
 */
export function bytesOfBigInt(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const hex = digits.length % 2 === 0 ? digits : `0${digits}`;
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (nibbleOf(hex.charCodeAt(2 * at)) << 4) | nibbleOf(hex.charCodeAt(2 * at + 1));
  }
  return bytes;
}

/** @throws SyntaxError or RangeError when it is larger than the platform's largest */
export function bigIntOfBytes(bytes: Uint8Array): bigint {
  const digits = new Uint8Array(2 * bytes.length);
  let at = 0;
  for (const byte of bytes) {
    digits[at++] = digitOf(byte >> 4);
    digits[at++] = digitOf(byte & 0xf);
  }
  return BigInt(`0x0${decoder.decode(digits)}`);
}

/** The value of a digit: `0`–`9` are 0x30–0x39, `a`–`f` are 0x61–0x66. */
function nibbleOf(digit: number): number {
  return digit < 0x3a ? digit - 0x30 : digit - 0x57;
}

function digitOf(nibble: number): number {
  return nibble < 10 ? nibble + 0x30 : nibble + 0x57;
}
