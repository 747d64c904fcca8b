/** What the prototypes of an object say about how to read it. */
export interface ClassShape {
  /** The name of its class; `''` for a plain object and for a class without a name. */
  readonly name: string;
  /** Whether it is what `{}` and `Object.create(null)` make. */
  readonly plain: boolean;
  /** The built-in whose hidden state it has (`'Map'`, `'Error'` …); `''` for none. */
  readonly base: string;
  /** Whether it inherits properties from an object that is no class, and so may differ from object to object. */
  readonly inherits: boolean;
}

const shapes = new WeakMap<object, ClassShape>();

/**
 * Goes by the names of constructors rather than by identity, so that objects of another realm
 * (a vm context, an iframe) are understood too.
 */
export function shapeOf(prototype: object | null): ClassShape {
  const known = prototype && shapes.get(prototype);
  if (known) return known;
  const shape = readShape(prototype);
  // Without a class of its own a prototype may yet be given properties.
  if (prototype && constructorOf(prototype)) shapes.set(prototype, shape);
  return shape;
}

function readShape(prototype: object | null): ClassShape {
  let name: string | undefined;
  let plain = true;
  let base = '';
  let inherits = false;
  for (let current = prototype; current; current = prototypeOf(current)) {
    const constructor = constructorOf(current);
    if (!constructor) {
      inherits ||= name === undefined && Reflect.ownKeys(current).length > 0;
      continue;
    }
    const ownName = typeof constructor.name === 'string' ? constructor.name : '';
    const builtIn = isBuiltIn(constructor);
    if (name === undefined) {
      plain = builtIn && ownName === 'Object';
      name = plain ? '' : ownName;
    }
    // The nearest built-in counts, except that errors of all kinds are read alike.
    if (builtIn && (ownName === 'Error' || (base === '' && ownName !== 'Object'))) base = ownName;
  }
  return { name: name ?? '', plain, base, inherits };
}

export function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}

function constructorOf(prototype: object): { readonly name: unknown } | undefined {
  if (!Object.hasOwn(prototype, 'constructor')) return undefined;
  const { constructor } = prototype as { readonly constructor: unknown };
  return typeof constructor === 'function' ? constructor : undefined;
}

/** `[native code]` is no JavaScript: no class that somebody wrote reads like this. */
function isBuiltIn(constructor: object): boolean {
  const source = Function.prototype.toString.call(constructor);
  return /^function [^{]*\{\s*\[native code\]\s*\}$/.test(source);
}
