/** Objects with more keys, or longer ones, are not remembered. */
const KEYS_MAX = 64;
const KEY_LENGTH_MAX = 128;

/** So many kinds of objects are remembered for one place; a queue seldom carries more. After that all are forgotten. */
const KINDS_MAX = 8;

/** One key of a remembered object: the key that may follow it, or stand in its place in another object. */
interface Known {
  readonly key: string;
  next: Known | undefined;
  other: Known | undefined;
  /** A remembered object has no key after this one. */
  isLast: boolean;
}

/**
 * Tells whether an object has a key with a dot. Such keys are rare, but each would open further ways along a path, and looking for all of
 * them costs more than all the rest of matching. Objects in one place of an event mostly have the same keys in the same order, so
 * those that were found free of dots are remembered and compared by identity, which is many times cheaper than reading them.
 */
export class KeyMemory {
  #first: Known | undefined;
  #kindCount = 0;

  hasDottedKey(object: object): boolean {
    let known = this.#first;
    let last: Known | undefined;
    // oxlint-disable-next-line guard-for-in -- an inherited key only makes the object another one than was remembered
    for (const key in object) {
      while (known !== undefined && known.key !== key) known = known.other;
      if (known === undefined) return this.#read(object);
      last = known;
      known = known.next;
    }
    return last === undefined || last.isLast ? false : this.#read(object);
  }

  #read(object: object): boolean {
    const keys: string[] = [];
    for (const key in object) {
      if (key.includes('.')) return true;
      keys.push(key);
    }
    if (keys.length <= KEYS_MAX && keys.every((key) => key.length <= KEY_LENGTH_MAX)) this.#remember(keys);
    return false;
  }

  #remember(keys: readonly string[]): void {
    if (this.#kindCount === KINDS_MAX) {
      this.#first = undefined;
      this.#kindCount = 0;
    }
    this.#kindCount += 1;
    let last: Known | undefined;
    for (const key of keys) {
      const level = last === undefined ? this.#first : last.next;
      let known = level;
      while (known !== undefined && known.key !== key) known = known.other;
      if (known === undefined) {
        known = { key, next: undefined, other: level, isLast: false };
        if (last === undefined) this.#first = known;
        else last.next = known;
      }
      last = known;
    }
    if (last !== undefined) last.isLast = true;
  }
}
