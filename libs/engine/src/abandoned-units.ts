import type { Clock } from '@wherry/core/clock';
import type { LeaseStore, LeaseUnit, Member } from '@wherry/core/coordination';

/** A row is removed this many lease times after its mapping left the configuration, when every late claim has been seen. */
const QUIET_TTLS = 3;

/**
 * Lease rows of mappings that were removed from the configuration while this process ran. They are deleted once no live
 * poller can know the mapping any more; a row that is still needed after all would merely be lost and claimed anew.
 * Rows of a mapping whose slots became fewer stay: they are small, and their epochs must not start again.
 */
export class AbandonedUnits {
  readonly #leases: LeaseStore;
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #abandoned = new Map<string, { readonly ids: readonly string[]; readonly sinceMs: number }>();

  constructor(leases: LeaseStore, clock: Clock, ttlMs: number) {
    this.#leases = leases;
    this.#clock = clock;
    this.#quietMs = QUIET_TTLS * ttlMs;
  }

  add(mappingUuid: string, units: readonly LeaseUnit[]): void {
    this.#abandoned.set(mappingUuid, { ids: units.map((unit) => unit.id), sinceMs: this.#clock.monotonicMs() });
  }

  /** The mapping is back. */
  keep(mappingUuid: string): void {
    this.#abandoned.delete(mappingUuid);
  }

  /** Deletes rows that nobody holds, provided that every live member runs the configuration in which they are gone. */
  async sweep(members: readonly Member[], configHash: string): Promise<void> {
    if (this.#abandoned.size === 0 || members.some((member) => member.info.configHash !== configHash)) return;
    const now = this.#clock.monotonicMs();
    for (const [uuid, { ids, sinceMs }] of this.#abandoned) {
      if (now - sinceMs < this.#quietMs) continue;
      const views = await this.#leases.view(ids);
      if (views.some((view) => view.live)) continue;
      await this.#leases.remove(ids);
      this.#abandoned.delete(uuid);
    }
  }
}
