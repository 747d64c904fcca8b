/**
 * What may not stand in a key as it is: braces choose the slot of a cluster, the others are patterns
 * to `SCAN` and `KEYS`, and half a surrogate pair has no UTF-8 of its own.
 */
const SPECIAL = /[%{}*?[\]\\]|\p{Control}|\p{Surrogate}/gu;
const SPECIAL_OR_COLON = /[%{}*?[\]\\:]|\p{Control}|\p{Surrogate}/gu;
const ESCAPED = /%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/g;

/** A text as part of a Redis key; different texts stay different. */
export function escapeText(text: string): string {
  return text.replace(SPECIAL, escapeOne);
}

/** The same for a name that a colon ends. */
export function escapeName(name: string): string {
  return name.replace(SPECIAL_OR_COLON, escapeOne);
}

/** The text that was escaped. */
export function unescapeText(escaped: string): string {
  if (!escaped.includes('%')) return escaped;
  return escaped.replace(ESCAPED, (_, surrogate: string | undefined, other: string | undefined) =>
    String.fromCharCode(parseInt(surrogate ?? (other as string), 16)),
  );
}

function escapeOne(char: string): string {
  const hex = char.charCodeAt(0).toString(16);
  return hex.length > 2 ? `%u${hex}` : `%${hex.padStart(2, '0')}`;
}
