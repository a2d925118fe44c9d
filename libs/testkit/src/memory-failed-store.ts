import { StoreError } from '@wherry/core/coordination';
import type { FailedBatch, FailedQuery, FailedStore } from '@wherry/core/failed-store';

interface Kept {
  readonly batch: FailedBatch;
  readonly event: Uint8Array;
}

/** The behaviour of the fleet's own store in one process. `isAway` makes every call fail, as a store that is away or full. */
export class MemoryFailedStore implements FailedStore {
  isAway = false;
  readonly #kept = new Map<string, Kept>();
  /** Removed batches, for listings that go on after them. */
  readonly #gone = new Map<string, FailedBatch>();

  async put(batch: FailedBatch, event: Uint8Array): Promise<void> {
    this.#answer();
    if (!this.#kept.has(batch.id)) this.#kept.set(batch.id, { batch, event: event.slice() });
  }

  async list({ name, mapping, limit, after }: FailedQuery): Promise<FailedBatch[]> {
    this.#answer();
    const last = after === undefined ? undefined : (this.#kept.get(after)?.batch ?? this.#gone.get(after));
    if (after !== undefined && last === undefined) throw new StoreError(`there is no batch ${after} to go on after`);
    return [...this.#kept.values()]
      .map(({ batch }) => batch)
      .filter((batch) => name === undefined || batch.name === name)
      .filter((batch) => mapping === undefined || batch.mapping === mapping || batch.mappingUuid === mapping)
      .filter((batch) => last === undefined || order(batch, last) > 0)
      .sort(order)
      .slice(0, limit);
  }

  async get(id: string): Promise<Kept | undefined> {
    this.#answer();
    return this.#kept.get(id);
  }

  async remove(ids: readonly string[]): Promise<number> {
    this.#answer();
    let removed = 0;
    for (const id of ids) {
      const kept = this.#kept.get(id);
      if (kept === undefined) continue;
      this.#gone.set(id, kept.batch);
      this.#kept.delete(id);
      removed += 1;
    }
    return removed;
  }

  async counts(): Promise<ReadonlyMap<string, { readonly batches: number; readonly bytes: number }>> {
    this.#answer();
    const counts = new Map<string, { batches: number; bytes: number }>();
    for (const { batch, event } of this.#kept.values()) {
      const before = counts.get(batch.name) ?? { batches: 0, bytes: 0 };
      counts.set(batch.name, { batches: before.batches + 1, bytes: before.bytes + event.byteLength });
    }
    return counts;
  }

  #answer(): void {
    if (this.isAway) throw new StoreError('the store is away');
  }
}

/** The oldest first; those of one millisecond by id. */
function order(one: FailedBatch, other: FailedBatch): number {
  if (one.failedAtMs !== other.failedAtMs) return one.failedAtMs - other.failedAtMs;
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}
