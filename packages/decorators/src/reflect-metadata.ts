/** What `reflect-metadata` adds to `Reflect`, where a program has loaded it. */
interface MetadataReflection extends Pick<typeof Reflect, 'ownKeys'> {
  readonly getOwnMetadataKeys?: (target: object, key?: string | symbol) => unknown[];
  readonly getOwnMetadata?: (name: unknown, target: object) => unknown;
  readonly defineMetadata?: (name: unknown, value: unknown, target: object) => void;
}

// Asked anew each time: it may be loaded later than this.
const reflection = (): MetadataReflection => Reflect;

/** Gives a method the metadata of the one it replaces, where it has none of its own. */
export function copyMetadata(from: object, to: object): void {
  const { defineMetadata, getOwnMetadata, getOwnMetadataKeys } = reflection();
  const there = new Set(getOwnMetadataKeys?.(to));
  for (const name of getOwnMetadataKeys?.(from) ?? []) {
    if (!there.has(name)) defineMetadata?.(name, getOwnMetadata?.(name, from), to);
  }
}

/** Whether a framework has put metadata there; what the compiler emits is not counted. */
export function hasMetadata(target: object, key?: string | symbol): boolean {
  const names = reflection().getOwnMetadataKeys?.(target, key) ?? [];
  return names.some((name) => !(typeof name === 'string' && name.startsWith('design:')));
}
