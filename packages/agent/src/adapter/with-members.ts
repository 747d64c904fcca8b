/** A copy of an object, of the same class and with all that it has, but for these members. */
export function withMembers<T extends object>(original: T, members: object): T {
  return Object.create(Object.getPrototypeOf(original) as object | null, {
    ...Object.getOwnPropertyDescriptors(original),
    ...Object.getOwnPropertyDescriptors(members),
  }) as T;
}

/** The same with the signal of the flight in place of the caller's, made once it is looked at. */
export function withSignal<T extends object>(
  options: T,
  name: string,
  context: { readonly signal: AbortSignal | undefined },
): T {
  const get = (): AbortSignal | undefined => context.signal;
  return Object.create(Object.getPrototypeOf(options) as object | null, {
    ...Object.getOwnPropertyDescriptors(options),
    [name]: { get, enumerable: true, configurable: true },
  }) as T;
}
