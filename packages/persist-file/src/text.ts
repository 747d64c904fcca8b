// Newer than es2023, though every Node that this package runs on has it.
const isWellFormed = (String.prototype as unknown as { isWellFormed: (this: string) => boolean })
  .isWellFormed;

/** Whether a text has to be written as UTF-16, since UTF-8 knows nothing of lone surrogates. */
export function needsUtf16(text: string): boolean {
  return !isWellFormed.call(text);
}

/** The text in these bytes. */
export function readText(bytes: Buffer, start: number, end: number, isUtf16: boolean): string {
  return bytes.toString(isUtf16 ? 'utf16le' : 'utf8', start, end);
}
