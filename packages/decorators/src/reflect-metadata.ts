/** What `reflect-metadata` adds to `Reflect`, where a program has loaded it. */
interface MetadataReflection {
  readonly getOwnMetadataKeys?: (target: object, key?: string | symbol) => unknown[];
  readonly getOwnMetadata?: (name: unknown, target: object) => unknown;
  readonly defineMetadata?: (name: unknown, value: unknown, target: object) => void;
}

// Asked anew each time: it may be loaded later than this.
const reflection = (): MetadataReflection => Reflect as MetadataReflection;

/** Gives a method the metadata of the one it replaces, by which a framework knows it. */
export function copyMetadata(from: object, to: object): void {
  const { defineMetadata, getOwnMetadata, getOwnMetadataKeys } = reflection();
  for (const name of getOwnMetadataKeys?.(from) ?? []) {
    defineMetadata?.(name, getOwnMetadata?.(name, from), to);
  }
}

/** Whether a framework has put metadata there; what the compiler emits is not counted. */
export function hasMetadata(target: object, key?: string | symbol): boolean {
  const names = reflection().getOwnMetadataKeys?.(target, key) ?? [];
  return names.some((name) => !(typeof name === 'string' && name.startsWith('design:')));
}
