import { prototypeOf } from '../class-shape.js';

/** What the byte after the tag means: its place here. */
const classes = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const as readonly (new (errors: readonly never[]) => Error)[];

/** An error as what can be written of it. */
export interface ErrorParts {
  /** The nearest of the language's own classes. */
  readonly kind: number;
  /** How many of the properties, at the start, are not enumerable. */
  readonly hidden: number;
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

/** Takes an error apart. What its class gives it, its name as a rule, counts as its own. */
export function partsOfError(error: object): ErrorParts {
  const kind = kindOf(error);
  const enumerable = Object.keys(error);
  const usual = classes[kind]?.prototype as object;
  const hidden = ['name', 'message', 'stack'].filter((key) => {
    const value: unknown = Reflect.get(error, key);
    return Object.hasOwn(error, key) || (value !== undefined && value !== Reflect.get(usual, key));
  });
  hidden.push(...['cause', 'errors'].filter((key) => Object.hasOwn(error, key)));
  const keys = [...hidden.filter((key) => !enumerable.includes(key)), ...enumerable];
  return {
    kind,
    hidden: keys.length - enumerable.length,
    keys,
    values: keys.map((key) => Reflect.get(error, key) as unknown),
  };
}

/** An error of that class without properties; `undefined` when there is no such class. */
export function bareError(kind: number): Error | undefined {
  const constructor = classes[kind];
  if (!constructor) return undefined;
  const limit: unknown = Reflect.get(Error, 'stackTraceLimit');
  // The trace of this place would be taken, and kept in memory behind the one that replaces it.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    // Only an AggregateError takes an array; to the others it is a message.
    const error = new constructor([]);
    for (const key of ['stack', 'message', 'errors']) Reflect.deleteProperty(error, key);
    return error;
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/** Goes by name, so that errors of another realm are understood too. */
function kindOf(error: object): number {
  for (let current = prototypeOf(error); current; current = prototypeOf(current)) {
    if (!Object.hasOwn(current, 'constructor')) continue;
    const { constructor } = current as { constructor?: { name?: unknown } | null };
    const kind = classes.findIndex(({ name }) => name === constructor?.name);
    if (kind !== -1) return kind;
  }
  return 0;
}
