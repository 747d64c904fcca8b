// Newer than es2023, and than browsers of 2023.
const nativeCheck = (String.prototype as { isWellFormed?: () => boolean }).isWellFormed;
const isWellFormed: (text: string) => boolean = nativeCheck
  ? (text) => nativeCheck.call(text)
  : (text) => !/\p{Surrogate}/u.test(text);

/**
 * Makes code words a key that can go anywhere. Lone surrogates are escaped, since UTF-8 has one
 * replacement for all of them, and so is a NUL at the start, which marks the ids a cache makes itself.
 */
export function seal(words: string): string {
  // To read a character makes V8 lay a concatenated text out in one piece, which it would otherwise do
  // at the first lookup, and more slowly.
  return words.charCodeAt(0) !== 0 && isWellFormed(words) ? words : `w${escapeText(words)}`;
}

/** The words that `seal` made this key of. */
export function unseal(key: string): string {
  return key.startsWith('w') ? unescapeText(key.slice(1)) : key;
}

/** Escapes `%`, `|` and lone surrogates, and leaves everything else readable. */
export function escapeText(text: string): string {
  return text.replace(/[%|]|\p{Surrogate}/gu, (unit) =>
    unit === '%' ? '%25' : unit === '|' ? '%7C' : `%u${unit.charCodeAt(0).toString(16)}`,
  );
}

function unescapeText(text: string): string {
  return text.replace(/%(?:u(....)|(..))/g, (_, wide: string | undefined, narrow: string) =>
    String.fromCharCode(parseInt(wide ?? narrow, 16)),
  );
}
