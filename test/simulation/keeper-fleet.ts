import type { Coordination, HeldLease, LeaseUnit } from '@wherry/core/coordination';
import { StoreError } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { LeaseTimings } from '@wherry/core/mapping';
import { LeaseKeeper } from '@wherry/engine/lease-keeper';
import { StoreHealth } from '@wherry/engine/store-health';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import { SimulatedProcess } from '@wherry/testkit/simulation-process';

const TIMINGS: LeaseTimings = { ttlMs: 10_000, renewEveryMs: 3_000, claimEveryMs: 1_000, rebalanceEveryMs: 10_000, marginMs: 2_000 };

/** One lease keeper whose work under a lease is only to hold it. */
export interface HoldingPoller {
  readonly token: string;
  readonly process: SimulatedProcess;
  readonly keeper: LeaseKeeper;
  readonly drain: AbortController;
  readonly kill: AbortController;
  readonly events: { readonly atMs: number; readonly event: EngineEvent }[];
  /** Resolves when the keeper has stopped. */
  readonly stopped: Promise<void>;
  isStopped: boolean;
  /** False while the store does not answer this poller. */
  isStoreUp: boolean;
  /** Units this poller would rather leave to others. */
  leavesToOthers: (id: string) => boolean;
  /** How long work goes on after the lease was yielded. */
  finishMs: number;
  /** Leases worked on at the moment, lost ones included until their work ends. */
  readonly working: Map<string, HeldLease>;
}

/** Pollers that do nothing but hold leases, on one memory store and one virtual clock: for the bounds of the lease protocol. */
export class KeeperFleet {
  readonly sim = new SimClock();
  readonly store: Coordination = createMemoryCoordination(this.sim.clock());
  readonly pollers: HoldingPoller[] = [];
  readonly #random = seededRandom(1);
  units: LeaseUnit[];
  unitCalls = 0;

  constructor(unitCount: number) {
    this.units = Array.from({ length: unitCount }, (_, index) => ({ id: `sqs-test-${index}`, weight: 1 }));
  }

  start(): HoldingPoller {
    const { sim } = this;
    const process = new SimulatedProcess(`poller-${this.pollers.length}`);
    const clock = process.clock(sim, 0);
    const drain = new AbortController();
    const kill = new AbortController();
    const events: HoldingPoller['events'] = [];
    const working = new Map<string, HeldLease>();
    const observe = (event: EngineEvent): void => void events.push({ atMs: sim.nowMs(), event });
    const guarded = <Port extends object>(port: Port): Port => guardedBy(port, process, () => poller.isStoreUp);
    const keeper = new LeaseKeeper({
      surroundings: { clock, random: this.#random, newId: () => '' },
      stop: { drain: drain.signal, kill: kill.signal },
      leases: guarded(this.store.leases),
      members: guarded(this.store.members),
      health: new StoreHealth(observe),
      timings: TIMINGS,
      token: process.name,
      memberInfo: () => ({
        version: '0',
        configHash: 'same',
        capacity: 1,
        draining: false,
        startedAtMs: 0,
        leases: working.size,
        inFlight: 0,
        bufferedBytes: 0,
        adminUrl: '',
      }),
      capacity: () => 10_000,
      mayHold: (id) => !poller.leavesToOthers(id),
      planUnits: () => Promise.resolve({ units: this.units, views: new Map() }),
      runUnit: async (lease) => {
        working.set(lease.id, lease);
        await abortOf([lease.yielded, lease.lost, kill.signal]);
        await clock.sleep(poller.finishMs, kill.signal);
        working.delete(lease.id);
      },
      scanned: () => Promise.resolve(),
      observe,
    });
    const poller: HoldingPoller = {
      token: process.name,
      process,
      keeper,
      drain,
      kill,
      events,
      working,
      isStopped: false,
      isStoreUp: true,
      finishMs: 0,
      leavesToOthers: () => false,
      stopped: Promise.resolve().then(async () => {
        await keeper.run();
        poller.isStopped = true;
      }),
    };
    this.pollers.push(poller);
    return poller;
  }

  /** How many leases each of the given pollers holds in truth, by the store. */
  async counts(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const owner of (await this.owners()).values()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return counts;
  }

  /** The live owner of each unit, by the store. */
  async owners(): Promise<Map<string, string>> {
    const views = await this.store.leases.view(this.units.map((unit) => unit.id));
    return new Map(views.filter((view) => view.live).map((view) => [view.id, view.owner]));
  }

  /** Lets virtual time pass until the condition holds. @returns how long it took, or undefined if longer than `withinMs` */
  async until(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<number | undefined> {
    const startMs = this.sim.nowMs();
    while (!(await condition())) {
      if (this.sim.nowMs() - startMs > withinMs) return undefined;
      await this.sim.advance(50);
    }
    return this.sim.nowMs() - startMs;
  }
}

function guardedBy<Port extends object>(port: Port, process: SimulatedProcess, isUp: () => boolean): Port {
  return new Proxy(port, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (!isUp()) throw new StoreError('connection refused');
        const result = await method.apply(target, args);
        await process.pass();
        return result;
      };
    },
  });
}

function abortOf(signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return Promise.resolve();
  return new Promise((resolve) => any.addEventListener('abort', () => resolve(), { once: true }));
}
