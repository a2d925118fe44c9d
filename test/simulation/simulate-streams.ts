import type { Coordination } from '@wherry/core/coordination';
import type { WherryConfig } from '@wherry/core/mapping';
import { MEMORY_PER_MESSAGE_BYTE } from '@wherry/engine/byte-budget';
import { LARGEST_MESSAGE_BYTES } from '@wherry/engine/receive-estimate';
import { ReplayedCoordination } from '@wherry/testkit/replayed-coordination';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import { SimulatedStreamFunction } from '@wherry/testkit/simulated-stream-function';
import { WitnessedLeases } from '@wherry/testkit/simulation-leases';
import { SimulationTrace } from '@wherry/testkit/simulation-trace';
import { StreamLedger } from '@wherry/testkit/stream-ledger';
import type { PlannedStreamFault, SimulatedStreamPlan, StreamSimulationPlan } from '@wherry/testkit/stream-simulation-plan';
import { StreamPoller, type SimulatedStreamWorld, type StreamMutant, type StreamsWorld } from './stream-poller.ts';
import { createSimulatedStream } from './stream-service.ts';
import { arnOf, configOfStreams, payloadOf, promisesOf, uuidOfStream } from './stream-settings.ts';
import { seekStreams } from './stream-seek.ts';

export interface StreamSimulationResult {
  /** The first broken promise, if any. */
  readonly violation: string | undefined;
  readonly digest: number;
  readonly trace: readonly string[];
  /** Deliveries of records that had ended before. */
  readonly duplicates: number;
  readonly delivered: number;
  readonly givenUp: number;
  readonly virtualMs: number;
}

const STEP_MS = 1_000;
/** A drained poller ends the batch in flight and writes what is done. */
const STOP_WITHIN_MS = 30_000;
const ONE_LOOK_BYTES = LARGEST_MESSAGE_BYTES * MEMORY_PER_MESSAGE_BYTE;
const AFTER_THE_START_MS = 4_000;

/** Runs one seed's plan to its end: every record done and every poller stopped, or a promise broken. */
export async function simulateStreams(
  plan: StreamSimulationPlan,
  mutant: StreamMutant = {},
  isTraced = false,
): Promise<StreamSimulationResult> {
  const simulation = new StreamSimulation(plan, mutant, isTraced);
  await simulation.run();
  return simulation.result();
}

/** A fleet and its world in virtual time. Tests that look into it drive it by hand. */
export class StreamSimulation {
  readonly sim = new SimClock();
  readonly trace: SimulationTrace;
  readonly witness: WitnessedLeases;
  readonly world: StreamsWorld;
  readonly pollers: StreamPoller[] = [];
  readonly streams = new Map<string, SimulatedStreamWorld>();
  readonly #plan: StreamSimulationPlan;
  readonly #startMs = this.sim.nowMs();
  readonly #random;
  readonly #store = new ReplayedCoordination(this.sim.clock());
  readonly #healedAtMs: number;
  #config: WherryConfig;
  #started = 0;

  constructor(plan: StreamSimulationPlan, mutant: StreamMutant, isTraced: boolean) {
    this.#plan = plan;
    this.#random = seededRandom(plan.seed ^ 0x5eed);
    this.trace = new SimulationTrace(this.sim, isTraced);
    this.#config = configOfStreams(plan, 0, this.#startMs);
    this.#healedAtMs = this.#startMs + Math.max(plan.busyMs, ...plan.faults.map((fault) => fault.atMs + fault.durationMs));
    const ledgers = (): StreamLedger[] => [...this.streams.values()].map(({ ledger }) => ledger);
    this.witness = new WitnessedLeases(this.sim, this.trace, {
      acquired: (...told) => ledgers().forEach((ledger) => ledger.acquired(...told)),
      checkpointed: (id, owner, epoch, checkpoint) => ledgers().forEach((ledger) => ledger.checkpointed(id, owner, epoch, checkpoint)),
      created: (rows) => ledgers().forEach((ledger) => ledger.created(rows)),
      repositioned: (rows) => ledgers().forEach((ledger) => ledger.repositioned(rows)),
      ended: (id) => ledgers().forEach((ledger) => ledger.ended(id)),
    });
    const { leases, streams } = this.#store.coordination;
    const coordination: Coordination = {
      ...this.#store.coordination,
      leases: this.witness.witness(mutant.store?.(leases) ?? leases),
      streams: {
        ...streams,
        change: async (mapping, stream, change) => {
          await streams.change(mapping, stream, change);
          for (const ledger of ledgers()) ledger.registered(mapping);
        },
      },
    };
    for (const stream of plan.streams) this.streams.set(stream.name, this.#createStream(stream));
    this.world = {
      sim: this.sim,
      random: this.#random,
      trace: this.trace,
      witness: this.witness,
      coordination,
      streams: this.streams,
      networkMs: plan.streams[0]?.networkMs ?? 2,
      wallSkewMs: plan.wallSkewMs,
      mutant,
      isStoreAway: false,
      areCallsBad: false,
      isDestinationDown: false,
      storeCalls: new Map(),
    };
  }

  /** Starts pollers, producers and faults; nothing happens before time passes. */
  begin(): void {
    const { sim } = this;
    for (const world of this.streams.values()) this.#produce(world);
    for (let number = 0; number < this.#plan.pollers; number += 1) sim.after(this.#random() * 2_000, () => this.start());
    for (const fault of this.#plan.faults) sim.after(fault.atMs, () => this.#inflict(fault));
  }

  async run(): Promise<void> {
    const { sim, trace } = this;
    this.begin();
    const deadlineMs = this.#healedAtMs + this.#plan.drainWithinMs;
    while (trace.violation === undefined) {
      await sim.advance(STEP_MS);
      this.#checkBudgets();
      if (sim.nowMs() < this.#healedAtMs) continue;
      const unsettled = [...this.streams.values()].flatMap(({ ledger }) => ledger.unsettled());
      if (unsettled.length === 0) break;
      if (sim.nowMs() > deadlineMs) trace.broken('everything drains after the last fault', unsettled.slice(0, 5).join(', '));
    }
    if (trace.violation === undefined) await this.stop();
  }

  result(): StreamSimulationResult {
    const sum = (read: (ledger: StreamLedger) => number): number =>
      [...this.streams.values()].reduce((total, { ledger }) => total + read(ledger), 0);
    return {
      violation: this.trace.violation,
      digest: this.trace.digest,
      trace: this.trace.lines,
      duplicates: sum((ledger) => ledger.duplicates),
      delivered: sum((ledger) => ledger.delivered),
      givenUp: sum((ledger) => ledger.givenUp),
      virtualMs: this.sim.nowMs() - this.#startMs,
    };
  }

  /** One poller more. */
  start(): StreamPoller {
    const poller = new StreamPoller(this.world, this.#started++, this.#config);
    this.pollers.push(poller);
    return poller;
  }

  /** Drains whoever still lives: nothing may be left running, and no lease held. */
  async stop(): Promise<void> {
    const living = this.living();
    for (const poller of living) poller.drain();
    const untilMs = this.sim.nowMs() + STOP_WITHIN_MS;
    while (living.some((poller) => !poller.isStopped) && this.sim.nowMs() < untilMs) await this.sim.advance(STEP_MS);
    const owners = [...this.witness.owners().values()];
    for (const poller of living) {
      if (!poller.isStopped) this.trace.broken('a drained poller stops', poller.token);
      else if (owners.includes(poller.token)) this.trace.broken('a drained poller holds no lease', poller.token);
    }
  }

  living(): StreamPoller[] {
    return this.pollers.filter((poller) => !poller.process.isKilled && !poller.isStopped);
  }

  /**
   * A page that is larger than was reserved for it may overdraw the account, by one page of each shard. The first look into a stream
   * has room for one record of the largest kind, even where that is all the room there is.
   */
  #checkBudgets(): void {
    const shards = [...this.streams.values()].reduce((total, { stream }) => total + stream.shards.size, 0);
    const limit = Math.max(this.#plan.bufferedBytes, ONE_LOOK_BYTES);
    for (const poller of this.living()) {
      const { bufferedBytes } = poller.fleet.status();
      if (bufferedBytes > limit + shards * 8 * 1_000 * 1_000)
        this.trace.broken('the memory budget holds', `${poller.token}: ${bufferedBytes}`);
    }
  }

  #createStream(plan: SimulatedStreamPlan): SimulatedStreamWorld {
    const { sim, trace } = this;
    const stream = createSimulatedStream({
      clock: sim.clock(),
      kind: plan.kind,
      arn: arnOf(plan),
      shards: plan.shards,
      recordsPerCall: plan.recordsPerCall,
      shardsPerCall: plan.shardsPerCall,
      iteratorLifeMs: plan.iteratorLifeMs,
      retentionMs: plan.retentionMs,
      listingDelayMs: plan.listingDelayMs,
      beganAtLatest: (shardId) => ledger.excuse(shardId, () => true),
    });
    const ledger: StreamLedger = new StreamLedger(sim, trace, stream, promisesOf(plan, this.#plan, this.#startMs));
    return { plan, stream, ledger, function: new SimulatedStreamFunction({ sim, random: this.#random, ledger, plan }) };
  }

  #produce({ plan, stream, ledger }: SimulatedStreamWorld): void {
    const random = this.#random;
    const put = (order: number): void => {
      const isWanted = plan.unwantedEvery === 0 || order % plan.unwantedEvery > 0;
      const isPoison = plan.poisonEvery > 0 && order % plan.poisonEvery === plan.poisonEvery - 1;
      const { shardId, record } = stream.put({ key: `key-${Math.floor(random() * plan.keys)}`, data: payloadOf(order, isWanted) });
      ledger.sent(shardId, record, { isWanted, isPoison });
    };
    for (let order = 0; order < plan.oldRecords; order += 1) put(order);
    const fresh = Array.from({ length: plan.records - plan.oldRecords }, () => AFTER_THE_START_MS + random() * this.#plan.busyMs);
    for (const [index, atMs] of fresh.sort((one, other) => one - other).entries()) {
      this.sim.after(atMs, () => put(plan.oldRecords + index));
    }
    for (const { kind, atMs, nth } of plan.reshards) {
      this.sim.after(atMs, () => {
        this.trace.note(`${kind} ${plan.name} ${nth}`);
        stream[kind](nth);
      });
    }
    if (plan.rivalReads > 0) this.#rival(stream, plan);
  }

  /** Somebody else who reads every shard, as long as records are sent. */
  #rival(stream: SimulatedStreamWorld['stream'], plan: SimulatedStreamPlan): void {
    for (let atMs = 0; atMs < this.#plan.busyMs; atMs += 1_000 / plan.rivalReads) {
      this.sim.after(atMs, () => {
        for (const { shardId } of stream.listShards(undefined).shards) {
          try {
            stream.getRecords(stream.getShardIterator(shardId, { kind: 'LATEST' }), 1);
          } catch {
            // The shard's reads of this second are used up; that is what a rival is for.
          }
        }
      });
    }
  }

  #inflict(fault: PlannedStreamFault): void {
    const { world } = this;
    const living = this.living().filter((one) => !one.isDraining && !one.process.isPaused);
    const poller = living[fault.target % Math.max(1, living.length)];
    this.trace.note(`fault ${fault.kind} ${poller?.token ?? ''} ${fault.durationMs}`);
    switch (fault.kind) {
      case 'kill':
        poller?.process.kill();
        this.#after(fault, () => this.start());
        return;
      case 'pause':
        poller?.process.pause();
        this.#after(fault, () => poller?.process.resume());
        return;
      case 'drain':
        poller?.drain();
        this.start();
        return;
      case 'terminate':
        poller?.terminate(Math.min(fault.durationMs, 2_000));
        this.start();
        return;
      case 'partition':
        if (poller === undefined) return;
        poller.isPartitioned = true;
        this.#after(fault, () => (poller.isPartitioned = false));
        return;
      case 'cutOff':
        if (poller === undefined) return;
        poller.isCutOff = true;
        this.#after(fault, () => (poller.isCutOff = false));
        return;
      case 'storeOutage':
        world.isStoreAway = true;
        this.#after(fault, () => (world.isStoreAway = false));
        return;
      case 'storeWipe':
        this.#store.wipe();
        this.#storeForgot();
        return;
      case 'storeRollback':
        this.#store.rollBack(this.sim.nowMs() - fault.durationMs);
        this.#storeForgot();
        return;
      case 'targetDown':
      case 'targetThrottled':
        this.#setTargets(fault, true);
        this.#after(fault, () => this.#setTargets(fault, false));
        return;
      case 'destinationDown':
        world.isDestinationDown = true;
        this.#after(fault, () => (world.isDestinationDown = false));
        return;
      case 'badCalls':
        world.areCallsBad = true;
        this.#after(fault, () => (world.areCallsBad = false));
        return;
      case 'reload':
        this.#reloadAll(1);
        this.#after(fault, () => this.#reloadAll(0));
        return;
      case 'seek':
        void seekStreams(this.world, fault.target);
        return;
      case 'hold':
        for (const name of this.streams.keys())
          void world.coordination.pauses.pause(uuidOfStream(name), 'somebody', 'a test', fault.durationMs);
        return;
      case 'join':
        this.start();
        return;
    }
  }

  #storeForgot(): void {
    this.witness.wiped();
    for (const { ledger } of this.streams.values()) ledger.storeForgot();
  }

  #setTargets({ kind }: PlannedStreamFault, isSo: boolean): void {
    for (const { function: fn } of this.streams.values()) {
      if (kind === 'targetDown') fn.isDown = isSo;
      else fn.isThrottled = isSo;
    }
  }

  /** Every poller sees the changed file within a few seconds, each at its own time, so configurations are skewed meanwhile. */
  #reloadAll(version: number): void {
    this.#config = configOfStreams(this.#plan, version, this.#startMs);
    for (const poller of this.living()) this.sim.after(this.#random() * 5_000, () => poller.reload(() => this.#config));
  }

  #after(fault: PlannedStreamFault, heal: () => void): void {
    this.sim.after(fault.durationMs, () => {
      this.trace.note(`healed ${fault.kind}`);
      heal();
    });
  }
}
