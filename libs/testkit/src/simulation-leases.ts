import type { LeaseRow, LeaseStore } from '@wherry/core/coordination';
import type { SimClock } from './sim-clock.ts';
import type { SimulationTrace } from './simulation-trace.ts';

interface Grant {
  readonly owner: string;
  readonly epoch: number;
  untilMs: number;
}

/** What a store has done to the rows of shards. */
export interface ShardRowWitness {
  acquired(id: string, owner: string, epoch: number, checkpoint: string | undefined): void;
  checkpointed(id: string, owner: string, epoch: number, checkpoint: string, window: string): void;
  /** Those that were not there, or had no position. */
  created(rows: readonly LeaseRow[]): void;
  repositioned(rows: readonly LeaseRow[]): void;
  ended(id: string): void;
}

/**
 * A lease store with a notary: behaves as the store given, and keeps its own book of who was told what. Broken promises
 * (two owners at a time, two owners in one epoch, a stale epoch renewed or trusted with a checkpoint) go to the trace.
 */
export class WitnessedLeases {
  readonly #sim: SimClock;
  readonly #trace: Pick<SimulationTrace, 'note' | 'broken'>;
  readonly #rows: ShardRowWitness | undefined;
  readonly #grants = new Map<string, Grant>();
  /** Owners that a wipe or an operator put out. They trust what they were told until their own time runs out. */
  #displaced: (Grant & { readonly unit: string })[] = [];
  readonly #ownerOfEpoch = new Map<string, string>();
  #isForgetful = false;

  /** @param rows who else wants to know of shards' rows */
  constructor(sim: SimClock, trace: Pick<SimulationTrace, 'note' | 'broken'>, rows?: ShardRowWitness) {
    this.#sim = sim;
    this.#trace = trace;
    this.#rows = rows;
  }

  /** True if this owner was told that it holds a unit with this prefix, in this epoch if one is given, and its time has not run out. */
  isHeld(unitPrefix: string, owner: string, epoch?: number): boolean {
    const isIt = (unit: string, grant: Grant): boolean =>
      unit.startsWith(unitPrefix) &&
      grant.owner === owner &&
      (epoch === undefined || grant.epoch === epoch) &&
      grant.untilMs > this.#sim.nowMs();
    for (const [unit, grant] of this.#grants) if (isIt(unit, grant)) return true;
    return this.#displaced.some((grant) => isIt(grant.unit, grant));
  }

  /** True if this owner holds this unit in this epoch as the store knows it now. */
  isOwner(unit: string, owner: string, epoch: number): boolean {
    const grant = this.#grants.get(unit);
    return grant?.owner === owner && grant.epoch === epoch && grant.untilMs > this.#sim.nowMs();
  }

  /** Units with a live owner in the store as it is now, and the owner. */
  owners(): Map<string, string> {
    const now = this.#sim.nowMs();
    return new Map([...this.#grants].filter(([, grant]) => grant.untilMs > now).map(([unit, grant]) => [unit, grant.owner]));
  }

  /** The store was wiped or went back in time: it can know neither epochs nor owners any more, and promises nothing about those before. */
  wiped(): void {
    this.#isForgetful = true;
    this.#ownerOfEpoch.clear();
    this.#displace([...this.#grants.keys()]);
  }

  witness(store: LeaseStore): LeaseStore {
    return {
      acquire: async (id, owner, ttlMs) => {
        const result = await store.acquire(id, owner, ttlMs);
        if (result.kind === 'acquired') {
          this.#granted(id, owner, result.epoch, ttlMs);
          this.#rows?.acquired(id, owner, result.epoch, result.checkpoint);
        }
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
        if (isReleased) this.#trace.note(`released ${id} ${owner} ${epoch}${next === undefined ? '' : ` for ${next}`}`);
        return isReleased;
      },
      want: (id, claimant, ttlMs) => store.want(id, claimant, ttlMs),
      checkpoint: async (id, owner, epoch, checkpoint, window) => {
        const result = await store.checkpoint(id, owner, epoch, checkpoint, window);
        if (result === 'written') {
          this.#checkOwner('a checkpoint is written by the owner of the epoch', id, owner, epoch);
          this.#rows?.checkpointed(id, owner, epoch, checkpoint, window);
        }
        return result;
      },
      end: async (id, owner, epoch) => {
        const result = await store.end(id, owner, epoch);
        if (result === 'written') {
          this.#checkOwner('a shard is ended by the owner of the epoch', id, owner, epoch);
          this.#rows?.ended(id);
        }
        return result;
      },
      create: async (rows) => {
        const before = this.#rows === undefined ? [] : await store.view(rows.map(({ id }) => id));
        await store.create(rows);
        this.#rows?.created(rows.filter((_, index) => before[index]?.checkpoint === undefined));
      },
      reposition: async (rows) => {
        await store.reposition(rows);
        this.#displace(rows.map(({ id }) => id));
        this.#rows?.repositioned(rows);
      },
      note: (id, owner, epoch, note) => store.note(id, owner, epoch, note),
      view: (ids) => store.view(ids),
      remove: (ids) => store.remove(ids),
    };
  }

  /** The next owner of these is no breach, whatever the last one still believes. */
  #displace(units: readonly string[]): void {
    const now = this.#sim.nowMs();
    this.#displaced = this.#displaced.filter((grant) => grant.untilMs > now);
    for (const unit of units) {
      const grant = this.#grants.get(unit);
      if (grant !== undefined) this.#displaced.push({ ...grant, unit });
      this.#grants.delete(unit);
    }
  }

  #checkOwner(promise: string, id: string, owner: string, epoch: number): void {
    const grant = this.#grants.get(id);
    if (grant?.owner === owner && grant.epoch === epoch) return;
    // A store that went back in time honours what it had given then.
    if (grant === undefined && this.#isForgetful) return;
    this.#trace.broken(promise, `${id} epoch ${epoch} of ${owner}, now ${grant?.owner} ${grant?.epoch}`);
  }

  #granted(id: string, owner: string, epoch: number, ttlMs: number): void {
    const now = this.#sim.nowMs();
    const before = this.#grants.get(id);
    if (before !== undefined && before.owner !== owner && before.untilMs > now) {
      this.#trace.broken('one owner at a time', `${id} given to ${owner} while ${before.owner} holds it`);
    }
    const key = `${id} ${epoch}`;
    const first = this.#ownerOfEpoch.get(key);
    if (first !== undefined && first !== owner)
      this.#trace.broken('no two owners in one epoch', `${id} epoch ${epoch}: ${first} and ${owner}`);
    this.#ownerOfEpoch.set(key, owner);
    this.#grants.set(id, { owner, epoch, untilMs: now + ttlMs });
    this.#trace.note(`acquired ${id} ${owner} ${epoch}`);
  }

  #renewed(id: string, owner: string, epoch: number, ttlMs: number): void {
    const grant = this.#grants.get(id);
    if (grant === undefined && this.#isForgetful) {
      this.#grants.set(id, { owner, epoch, untilMs: this.#sim.nowMs() + ttlMs });
      return;
    }
    if (grant?.owner !== owner || grant.epoch !== epoch) {
      this.#trace.broken('only the current epoch is renewed', `${id} epoch ${epoch} of ${owner}, now ${grant?.owner} ${grant?.epoch}`);
      return;
    }
    grant.untilMs = this.#sim.nowMs() + ttlMs;
  }
}
