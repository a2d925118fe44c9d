/**
 * Keeps this poller's share of the fleet's leases: heartbeat, renewal, claims, hand-over and the local fence.
 * It performs what `@wherry/core/assign` decides and never decides itself; it knows nothing of what is done under a lease.
 *
 *   free ──claim scan──▶ held ──wanted, unit gone, drain──▶ yielding ──work ended──▶ released
 *                          └──store says lost, or validity lapsed──▶ lost ──work ended──▶ (claimable again)
 */
import type { Clock, StopSignals, Surroundings } from '@wherry/core/clock';
import type { LeaseStore, LeaseUnit, LeaseView, Member, MemberInfo, MemberStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { LeaseTimings } from '@wherry/core/mapping';
import { decideClaims } from '@wherry/core/assign';
import { OwnLease } from './held-lease.ts';
import type { StoreHealth } from './store-health.ts';

/** Spread of every periodic call, so that pollers started together drift apart. */
const JITTER = 0.1;
/** After a failed renewal the next attempt comes sooner: three of them fit into what is left of a lease. */
const RENEW_RETRY_SHARE = 1 / 3;
/** After an outage every poller waits up to this many claim intervals before it claims again, so that they do not claim at once. */
const RECOVERY_CLAIM_INTERVALS = 2;
/** How long a request for somebody's lease stands: the batch in flight ends before it is handed over. */
const HAND_OVER_MS = 30_000;
/** A unit that this poller leaves to others is taken after all when nobody has wanted it for so many scans. */
const LEFT_ALONE_SCANS = 10;
/** How long a killed poller waits for the store to take its leases back. */
const KILL_RELEASE_MS = 1000;

/** Everything that somebody has to hold now. */
export interface UnitPlan {
  readonly units: readonly LeaseUnit[];
  /** Leases that were read to make the plan, by id; others may be among them. */
  readonly views: ReadonlyMap<string, LeaseView>;
}

/** What the keeper asks and tells. */
export interface LeaseKeeperOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  readonly leases: LeaseStore;
  readonly members: MemberStore;
  readonly health: StoreHealth;
  readonly timings: LeaseTimings;
  /** Owner token of this process. */
  readonly token: string;
  readonly memberInfo: () => MemberInfo;
  /** Leases this process may hold at a time. */
  readonly capacity: () => number;
  /** False for a unit that others should have while there are others. */
  readonly mayHold: (unitId: string) => boolean;
  /** Everything that has to be leased by somebody now. Asked at each claim scan; may throw when the store is away. */
  readonly planUnits: () => Promise<UnitPlan>;
  /** The work under a lease. Ends soon after the lease is yielded or lost, or the process is killed; never rejects. */
  readonly runUnit: (lease: OwnLease) => Promise<void>;
  /** Called after each complete claim scan. */
  readonly scanned: () => Promise<void>;
  readonly observe: Observe;
}

/** What one claim scan saw. */
interface ClaimScan {
  readonly members: readonly Member[];
  readonly leases: readonly LeaseView[];
}

/** Holds this process's leases and runs the work under each of them. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #clock: Clock;
  /** Every lease whose work has not ended, lost ones included: a unit is never worked on twice by one process. */
  readonly #held = new Map<string, OwnLease>();
  readonly #works = new Set<Promise<void>>();
  /** For how many scans in a row each unit was seen without a live owner. */
  readonly #freeScans = new Map<string, number>();
  /** Units this poller would leave to others, but nobody else wanted them. */
  readonly #lastResort = new Set<string>();
  #scan: ClaimScan | undefined;
  #wakeRenewal = new AbortController();
  #rebalanceAtMs: number;
  /** Rebalance ticks in a row at which we had too little. */
  #underTicks = 0;
  #over = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#clock = options.surroundings.clock;
    this.#rebalanceAtMs = this.#clock.monotonicMs() + options.timings.rebalanceEveryMs;
  }

  /** Runs until the process is drained or killed and the work under every lease has ended. */
  async run(): Promise<void> {
    const { drain, kill } = this.#options.stop;
    const stopping = (): void => {
      for (const lease of this.#held.values()) lease.yield();
      this.#wakeRenewal.abort();
    };
    drain.addEventListener('abort', stopping, { once: true });
    kill.addEventListener('abort', stopping, { once: true });
    const renewals = this.#renewLoop();
    await this.#claimLoop();
    while (this.#works.size > 0) await Promise.all(this.#works);
    this.#over = true;
    this.#wakeRenewal.abort();
    await renewals;
    drain.removeEventListener('abort', stopping);
    kill.removeEventListener('abort', stopping);
    await this.#bounded(this.#options.health.ask(() => this.#options.members.leave(this.#options.token)));
  }

  /** Leases whose work has not ended. */
  get held(): readonly OwnLease[] {
    return [...this.#held.values()];
  }

  /** What the last claim scan saw; undefined before the first one. */
  get scan(): ClaimScan | undefined {
    return this.#scan;
  }

  /**
   * Lets the work under a lease begin where the store says that it is, also when it began before: after a reload, or a crash of its loop.
   *
   * @returns false if the lease is not ours any more, or its work is over
   */
  async refresh(lease: OwnLease): Promise<boolean> {
    if (lease.useProgress()) return true;
    const { health, leases, token, timings, stop } = this.#options;
    const ended = AbortSignal.any([lease.yielded, lease.lost, stop.kill]);
    while (!ended.aborted) {
      const validUntilMs = this.#validUntilMs();
      // Who asks for a lease that is its own gets the same epoch and the newest progress.
      const answer = await health.ask(() => leases.acquire(lease.id, token, timings.ttlMs));
      if (answer === undefined) {
        await this.#clock.sleep(this.#jittered(timings.renewEveryMs * RENEW_RETRY_SHARE), ended);
        continue;
      }
      if (answer.value.kind !== 'acquired' || answer.value.epoch !== lease.epoch) return false;
      lease.progressed(answer.value);
      lease.extend(validUntilMs);
      return true;
    }
    return false;
  }

  /** Tells the other pollers now instead of at the next renewal, for a change of configuration. */
  announce(): void {
    this.#wakeRenewal.abort();
  }

  /** Invariant 3: the store may start a lease's time as soon as a call is sent, so that is when ours starts. Asked before sending. */
  #validUntilMs(): number {
    const { ttlMs, marginMs } = this.#options.timings;
    return this.#clock.monotonicMs() + ttlMs - marginMs;
  }

  #isStopping(): boolean {
    return this.#options.stop.drain.aborted || this.#options.stop.kill.aborted;
  }

  #jittered(ms: number): number {
    return ms * (1 - JITTER + 2 * JITTER * this.#options.surroundings.random());
  }

  async #renewLoop(): Promise<void> {
    const { renewEveryMs } = this.#options.timings;
    while (!this.#over) {
      this.#wakeRenewal = new AbortController();
      const isGood = await this.#renewOnce();
      await this.#clock.sleep(this.#jittered(isGood ? renewEveryMs : renewEveryMs * RENEW_RETRY_SHARE), this.#wakeRenewal.signal);
    }
  }

  /** Heartbeat and renewal of everything held. An error changes nothing: local validity runs on until it lapses. */
  async #renewOnce(): Promise<boolean> {
    const { health, members, leases, token, timings } = this.#options;
    const asked = [...this.#held.values()].filter((lease) => !lease.isOver);
    const validUntilMs = this.#validUntilMs();
    const [beat, renewed] = await Promise.all([
      health.ask(() => members.heartbeat(token, { ...this.#options.memberInfo(), draining: this.#isStopping() }, timings.ttlMs)),
      asked.length === 0
        ? { value: [] }
        : health.ask(() =>
            leases.renew(
              token,
              asked.map((lease) => lease.renewal),
              timings.ttlMs,
            ),
          ),
    ]);
    for (const [index, lease] of asked.entries()) {
      const result = renewed?.value[index];
      if (result === undefined || lease.isOver) continue;
      if (result === 'lost') this.#lose(lease, true);
      else lease.extend(validUntilMs);
      if (result === 'wanted') lease.yield('wanted');
    }
    return beat !== undefined && renewed !== undefined;
  }

  async #claimLoop(): Promise<void> {
    const { stop, timings, health, surroundings } = this.#options;
    const stopped = AbortSignal.any([stop.drain, stop.kill]);
    // Pollers started together see each other's first heartbeat before anyone claims, so nobody takes it all.
    await this.#clock.sleep(timings.claimEveryMs * (0.5 + 0.5 * surroundings.random()), stopped);
    let recoveries = health.recoveries;
    while (!this.#isStopping()) {
      if (health.recoveries !== recoveries) {
        recoveries = health.recoveries;
        await this.#clock.sleep(timings.claimEveryMs * RECOVERY_CLAIM_INTERVALS * surroundings.random(), stopped);
      }
      await health.ask(() => this.#claimOnce());
      await this.#clock.sleep(this.#jittered(timings.claimEveryMs), stopped);
    }
  }

  async #claimOnce(): Promise<void> {
    const { leases, members, token, timings } = this.#options;
    const { units, views: known } = await this.#options.planUnits();
    const [views, seen] = await Promise.all([this.#viewUnits(units, known), members.members()]);
    if (this.#isStopping()) return;
    this.#scan = { members: seen, leases: views };
    const mayHold = this.#mayHold(seen);
    this.#yieldUnneeded(units, views, mayHold);
    this.#countFreeScans(views);
    const isRebalanceTick = this.#clock.monotonicMs() >= this.#rebalanceAtMs;
    if (isRebalanceTick) this.#rebalanceAtMs = this.#clock.monotonicMs() + this.#jittered(timings.rebalanceEveryMs);
    const decision = decideClaims({
      self: token,
      members: seen,
      units,
      leases: views,
      freeScans: this.#freeScans,
      capacity: this.#options.capacity(),
      isRebalanceTick,
      underTicks: this.#underTicks,
    });
    this.#underTicks = decision.underTicks;
    const claims = [...new Set([...this.#forgotten(views), ...decision.acquire])].filter((id) => !this.#held.has(id) && mayHold(id));
    const room = Math.max(0, this.#options.capacity() - this.#held.size);
    // Wait for every answer even when one fails: a late one must never meet the next scan's claim of the same unit.
    const answers = await Promise.allSettled([
      ...claims.slice(0, room).map((id) => this.#acquire(id)),
      ...decision.want.filter(mayHold).map((id) => leases.want(id, token, HAND_OVER_MS)),
    ]);
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    await this.#options.scanned();
  }

  /** The leases of these units, without asking for those that are known already. */
  async #viewUnits(units: readonly LeaseUnit[], known: ReadonlyMap<string, LeaseView>): Promise<LeaseView[]> {
    const unknown = units.map(({ id }) => id).filter((id) => !known.has(id));
    const viewed = unknown.length === 0 ? [] : await this.#options.leases.view(unknown);
    return [...units.flatMap(({ id }) => known.get(id) ?? []), ...viewed];
  }

  /** Lets go of units that no plan names any more and of those that somebody asks for. */
  #yieldUnneeded(units: readonly LeaseUnit[], views: readonly LeaseView[], mayHold: (id: string) => boolean): void {
    const needed = new Set(units.map((unit) => unit.id));
    for (const lease of this.#held.values()) if (!needed.has(lease.id) || !mayHold(lease.id)) lease.yield();
    for (const view of views)
      if (view.owner === this.#options.token && view.wantedBy !== undefined) this.#held.get(view.id)?.yield('wanted');
  }

  /** Whether this poller may hold a unit, given who else is there to hold it. */
  #mayHold(seen: readonly Member[]): (id: string) => boolean {
    const isAlone = !seen.some((member) => member.token !== this.#options.token && !member.info.draining);
    if (isAlone) return () => true;
    return (id) => this.#options.mayHold(id) || this.#lastResort.has(id) || (this.#freeScans.get(id) ?? 0) > LEFT_ALONE_SCANS;
  }

  #countFreeScans(views: readonly LeaseView[]): void {
    const before = new Map(this.#freeScans);
    this.#freeScans.clear();
    for (const view of views) if (!view.live && !view.ended) this.#freeScans.set(view.id, (before.get(view.id) ?? 0) + 1);
  }

  /** Leases that are ours in the store although nobody works on them: the answer to an acquire or a release was lost. */
  #forgotten(views: readonly LeaseView[]): string[] {
    return views.filter((view) => view.live && view.owner === this.#options.token && !this.#held.has(view.id)).map((view) => view.id);
  }

  async #acquire(id: string): Promise<void> {
    const { leases, token, timings, observe } = this.#options;
    const validUntilMs = this.#validUntilMs();
    const result = await leases.acquire(id, token, timings.ttlMs);
    if (result.kind !== 'acquired') return;
    const lease = new OwnLease(id, result, this.#clock, validUntilMs);
    this.#held.set(id, lease);
    this.#freeScans.delete(id);
    if (!this.#options.mayHold(id)) this.#lastResort.add(id);
    observe({ type: 'lease', event: 'acquired', unit: id, epoch: lease.epoch });
    const work = this.#work(lease).finally(() => this.#works.delete(work));
    this.#works.add(work);
  }

  async #work(lease: OwnLease): Promise<void> {
    if (this.#isStopping()) lease.yield();
    const fence = lease.lapses().then((lapsed) => (lapsed ? this.#lose(lease, false) : undefined));
    await this.#options.runUnit(lease);
    lease.end();
    await fence;
    if (!lease.isTaken) await this.#bounded(this.#giveBack(lease));
    this.#held.delete(lease.id);
    this.#lastResort.delete(lease.id);
  }

  /** @param isTaken the store said so, as opposed to a validity that lapsed here */
  #lose(lease: OwnLease, isTaken: boolean): void {
    lease.lose(isTaken);
    this.#options.observe({ type: 'lease', event: 'lost', unit: lease.id, epoch: lease.epoch });
  }

  /**
   * Also after a lapsed validity: if nobody took the lease since, others need not wait for its time to run out. The store
   * keeps a lease that somebody asked for for the one who asked.
   */
  async #giveBack(lease: OwnLease): Promise<void> {
    const { health, leases, token, observe } = this.#options;
    const released = await health.ask(() => leases.release(lease.id, token, lease.epoch));
    if (released?.value !== true || lease.lost.aborted) return;
    observe({ type: 'lease', event: lease.isWanted ? 'handed_over' : 'released', unit: lease.id, epoch: lease.epoch });
  }

  /** After a kill nobody waits long for a store that may be the reason for it. */
  async #bounded(call: Promise<unknown>): Promise<void> {
    await (this.#options.stop.kill.aborted ? Promise.race([call, this.#clock.sleep(KILL_RELEASE_MS)]) : call);
  }
}
