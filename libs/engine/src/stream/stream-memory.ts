/**
 * Which streams this process has seen a register of, by mapping. It outlives reloads, and a store that was wiped: who remembers a stream
 * knows that its checkpoints are lost, and that it is not new.
 */
export class StreamMemory {
  readonly #keys = new Map<string, Set<string>>();

  /** @param key of `streamKey` */
  remember(mapping: string, key: string): void {
    const keys = this.#keys.get(mapping);
    if (keys === undefined) this.#keys.set(mapping, new Set([key]));
    else keys.add(key);
  }

  remembers(mapping: string, key: string): boolean {
    return this.#keys.get(mapping)?.has(key) === true;
  }

  /** The mapping has left the configuration: one of the same name that comes later begins at its `StartingPosition`. */
  forget(mapping: string): void {
    this.#keys.delete(mapping);
  }
}
