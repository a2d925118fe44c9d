import type { LeaseStore } from '@wherry/core/coordination';
import type { SimClock } from './sim-clock.ts';
import type { SimulationLedger } from './simulation-ledger.ts';

interface Grant {
  readonly owner: string;
  readonly epoch: number;
  untilMs: number;
}

const BEFORE_WIPE = ', before a wipe';

/**
 * A lease store with a notary: behaves as the store given, and keeps its own book of who was told what. Broken promises
 * (two owners at a time, two owners in one epoch, a stale epoch renewed) go to the ledger.
 */
export class WitnessedLeases {
  readonly #sim: SimClock;
  readonly #ledger: SimulationLedger;
  readonly #grants = new Map<string, Grant>();
  readonly #ownerOfEpoch = new Map<string, string>();

  constructor(sim: SimClock, ledger: SimulationLedger) {
    this.#sim = sim;
    this.#ledger = ledger;
  }

  /** True if this owner was told that it holds a unit with this prefix in this epoch, and its time has not run out. */
  isHeld(unitPrefix: string, owner: string, epoch: number): boolean {
    for (const [unit, grant] of this.#grants) {
      if (unit.startsWith(unitPrefix) && grant.owner === owner && grant.epoch === epoch && grant.untilMs > this.#sim.nowMs()) return true;
    }
    return false;
  }

  /** Units with a live owner in the store as it is now, and the owner. */
  owners(): Map<string, string> {
    const now = this.#sim.nowMs();
    const live = [...this.#grants].filter(([unit, grant]) => grant.untilMs > now && !unit.endsWith(BEFORE_WIPE));
    return new Map(live.map(([unit, grant]) => [unit, grant.owner]));
  }

  /** The store was wiped: it can know neither epochs nor owners any more, and promises nothing about those before. */
  wiped(): void {
    this.#ownerOfEpoch.clear();
    // Pollers trust what they were told until their own time runs out, so the grants stand; the next owner is not a breach.
    const grants = [...this.#grants];
    this.#grants.clear();
    for (const [unit, grant] of grants) this.#grants.set(`${unit}${BEFORE_WIPE}`, grant);
  }

  witness(store: LeaseStore): LeaseStore {
    return {
      acquire: async (id, owner, ttlMs) => {
        const result = await store.acquire(id, owner, ttlMs);
        if (result.kind === 'acquired') this.#granted(id, owner, result.epoch, ttlMs);
        return result;
      },
      renew: async (owner, leases, ttlMs) => {
        const results = await store.renew(owner, leases, ttlMs);
        for (const [index, lease] of leases.entries()) if (results[index] !== 'lost') this.#renewed(lease.id, owner, lease.epoch, ttlMs);
        return results;
      },
      release: async (id, owner, epoch, next) => {
        const isReleased = await store.release(id, owner, epoch, next);
        const grant = this.#grants.get(id);
        if (isReleased && grant?.owner === owner && grant.epoch === epoch) grant.untilMs = this.#sim.nowMs();
        if (isReleased) this.#ledger.note(`released ${id} ${owner} ${epoch}${next === undefined ? '' : ` for ${next}`}`);
        return isReleased;
      },
      want: (id, claimant, ttlMs) => store.want(id, claimant, ttlMs),
      checkpoint: (id, owner, epoch, checkpoint) => store.checkpoint(id, owner, epoch, checkpoint),
      end: (id, owner, epoch, children) => store.end(id, owner, epoch, children),
      view: (ids) => store.view(ids),
      remove: (ids) => store.remove(ids),
    };
  }

  #granted(id: string, owner: string, epoch: number, ttlMs: number): void {
    const now = this.#sim.nowMs();
    const before = this.#grants.get(id);
    if (before !== undefined && before.owner !== owner && before.untilMs > now) {
      this.#ledger.broken('one owner at a time', `${id} given to ${owner} while ${before.owner} holds it`);
    }
    const key = `${id} ${epoch}`;
    const first = this.#ownerOfEpoch.get(key);
    if (first !== undefined && first !== owner)
      this.#ledger.broken('no two owners in one epoch', `${id} epoch ${epoch}: ${first} and ${owner}`);
    this.#ownerOfEpoch.set(key, owner);
    this.#grants.set(id, { owner, epoch, untilMs: now + ttlMs });
    this.#ledger.note(`acquired ${id} ${owner} ${epoch}`);
  }

  #renewed(id: string, owner: string, epoch: number, ttlMs: number): void {
    const grant = this.#grants.get(id);
    if (grant?.owner !== owner || grant.epoch !== epoch) {
      this.#ledger.broken('only the current epoch is renewed', `${id} epoch ${epoch} of ${owner}, now ${grant?.owner} ${grant?.epoch}`);
      return;
    }
    grant.untilMs = this.#sim.nowMs() + ttlMs;
  }
}
