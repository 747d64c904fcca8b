/** What is given cannot be used; the message says why, and is for whoever gave it. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
