import type { AnyFunction } from '../any-function.js';
import { withMembers } from './with-members.js';

/**
 * What takes the place of a tool: all that the tool is, but for the function it runs by. Of a plain object it
 * is a copy. A tool of a class stays what it was behind it, since no copy has its private state: what is
 * read, set or called is the tool's own.
 *
 * @param leadsThere - whether a method of the class comes to that function, and so must begin at the stand-in
 */
export function standInFor<T extends object>(
  tool: T,
  member: string,
  run: AnyFunction,
  leadsThere: (method: PropertyKey) => boolean = () => false,
): T {
  const prototype = Object.getPrototypeOf(tool) as object | null;
  if (prototype === Object.prototype || prototype === null) {
    return withMembers(tool, { [member]: run });
  }
  let standsIn: unknown = run;
  const bound = new Map<unknown, unknown>();
  const onTool = (method: AnyFunction): unknown => {
    if (!bound.has(method)) bound.set(method, method.bind(tool));
    return bound.get(method);
  };
  // An object of its own, since a proxy must say of a frozen tool what that says itself.
  return new Proxy(Object.create(prototype) as T, {
    get(_, name) {
      if (name === member) return standsIn;
      const value: unknown = Reflect.get(tool, name, tool);
      const isMethod = typeof value === 'function' && name !== 'constructor';
      if (!isMethod || Object.hasOwn(tool, name) || leadsThere(name)) return value;
      return onTool(value as AnyFunction);
    },
    set(_, name, value) {
      if (name !== member) return Reflect.set(tool, name, value, tool);
      standsIn = value;
      return true;
    },
    has: (_, name) => name === member || name in tool,
    ownKeys: () => [...new Set([...Reflect.ownKeys(tool), member])],
    getOwnPropertyDescriptor(_, name) {
      const own = Reflect.getOwnPropertyDescriptor(tool, name);
      if (name === member) {
        return { value: standsIn, writable: true, enumerable: true, configurable: true };
      }
      return own && { ...own, configurable: true };
    },
    defineProperty: (_, name, property) => Reflect.defineProperty(tool, name, property),
    deleteProperty: (_, name) => Reflect.deleteProperty(tool, name),
    preventExtensions: () => false,
  });
}
