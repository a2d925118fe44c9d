import type { AuditEntry, AuditStore } from '@wherry/core/coordination';

const KEPT = 10_000;

/** The behaviour of `RedisAuditStore` in one process. */
export class MemoryAuditStore implements AuditStore {
  readonly #entries: AuditEntry[] = [];

  append(entry: AuditEntry): Promise<void> {
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.shift();
    return Promise.resolve();
  }

  newest(count: number): Promise<AuditEntry[]> {
    return Promise.resolve(this.#entries.toReversed().slice(0, Math.max(0, count)));
  }
}
