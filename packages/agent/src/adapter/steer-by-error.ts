/**
 * Answers a loop where an SDK makes an error result for the model out of what a tool throws.
 *
 * @throws always
 */
export function steerByError(message: string): never {
  throw new Error(message);
}
