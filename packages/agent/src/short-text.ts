/** Not looked up for every character: that is slow where the globals are a sandbox's. */
const { imul } = Math;
const LONGEST = 128;

/**
 * A text that stands for another one and is never long: what is kept of a call does not grow with its
 * arguments. Long ones share one only by a chance of about 2^-100.
 */
export function shortText(text: string): string {
  if (text.length <= LONGEST) return text;
  const one = hash53(text, 0);
  const other = hash53(text, 0x9e3779b9);
  return `#${text.length}:${one.toString(36)}:${other.toString(36)}`;
}

/** cyrb53, in the public domain: 53 bits of a text, about a nanosecond per character. */
function hash53(text: string, seed: number): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = imul(high ^ unit, 2654435761);
    low = imul(low ^ unit, 1597334677);
  }
  high = imul(high ^ (high >>> 16), 2246822507) ^ imul(low ^ (low >>> 13), 3266489909);
  low = imul(low ^ (low >>> 16), 2246822507) ^ imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
