/** Objects with more keys, or longer ones, are not remembered. */
const KEYS_MAX = 64;
const KEY_LENGTH_MAX = 128;

/** So many kinds of objects are remembered for one place; a queue seldom carries more. */
const KINDS_MAX = 4;

/**
 * Tells whether an object has a key with a dot. Such keys are rare, but each would open further ways along a path, and looking for all of
 * them costs more than all the rest of matching. Objects in one place of an event mostly have the same keys in the same order, so
 * those that were found free of dots are remembered and compared by identity, which is many times cheaper than reading them.
 */
export class KeyMemory {
  readonly #kinds: (readonly string[])[] = [];
  #oldest = 0;

  hasDottedKey(object: object): boolean {
    for (const keys of this.#kinds) if (hasKeys(object, keys)) return false;
    const keys: string[] = [];
    for (const key in object) {
      if (key.includes('.')) return true;
      keys.push(key);
    }
    if (keys.length <= KEYS_MAX && keys.every((key) => key.length <= KEY_LENGTH_MAX)) this.#remember(keys);
    return false;
  }

  #remember(keys: readonly string[]): void {
    this.#kinds[this.#oldest] = keys;
    this.#oldest = (this.#oldest + 1) % KINDS_MAX;
  }
}

function hasKeys(object: object, keys: readonly string[]): boolean {
  let index = 0;
  // oxlint-disable-next-line guard-for-in -- an inherited key only makes the object another one than was remembered
  for (const key in object) {
    if (key !== keys[index]) return false;
    index += 1;
  }
  return index === keys.length;
}
