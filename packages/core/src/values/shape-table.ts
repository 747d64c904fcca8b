/** Objects with more properties are taken for dictionaries, no two of which have the same. */
const MAX_SHARED_KEYS = 64;

interface Shape {
  readonly keys: readonly string[];
  readonly id: number;
  /** The shape that came after this one last time. */
  next: Shape | undefined;
}

/** The shapes that one message has told so far: the names of the properties of an object, in their order. */
export class ShapeTable {
  readonly #shapes = new Map<string, Shape>();
  #count = 0;
  #last: Shape | undefined;

  /**
   * The number of the shape with these keys. A new one is numbered and has to be told.
   * @returns `undefined` for a new one
   */
  find(keys: readonly string[]): number | undefined {
    // Rows look alike, or take turns.
    let shape = this.#last?.next;
    if (!shape || !equal(shape.keys, keys)) {
      if (keys.length > MAX_SHARED_KEYS) {
        this.#count++;
        return undefined;
      }
      const name = keys.join('\n');
      shape = this.#shapes.get(name);
      // A key may hold the separator, and then two shapes may have one name.
      if (!shape || !equal(shape.keys, keys)) {
        shape = { keys, id: this.#count++, next: undefined };
        this.#shapes.set(name, shape);
        this.#follow(shape);
        return undefined;
      }
    }
    this.#follow(shape);
    return shape.id;
  }

  #follow(shape: Shape): void {
    if (this.#last) this.#last.next = shape;
    this.#last = shape;
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#shapes.clear();
    this.#count = 0;
    this.#last = undefined;
  }
}

function equal(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) {
    if (one[index] !== other[index]) return false;
  }
  return true;
}
