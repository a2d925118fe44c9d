import type { Coordination } from '@wherry/core/coordination';
import type { SqsMapping, WherryConfig } from '@wherry/core/mapping';
import { MEMORY_PER_MESSAGE_BYTE } from '@wherry/engine/byte-budget';
import { LARGEST_MESSAGE_BYTES } from '@wherry/engine/receive-estimate';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { FakeQueue } from '@wherry/testkit/fake-queue';
import { sampleConfig, sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import { SimulatedFunction } from '@wherry/testkit/simulation-function';
import { WitnessedLeases } from '@wherry/testkit/simulation-leases';
import { SimulationLedger } from '@wherry/testkit/simulation-ledger';
import type { PlannedFault, SimulatedQueuePlan, SimulationPlan } from '@wherry/testkit/simulation-plan';
import { SimulatedPoller, uuidOf, type Mutant, type SimulatedWorld } from './simulated-poller.ts';

export interface SimulationResult {
  /** The first broken promise, if any. */
  readonly violation: string | undefined;
  readonly digest: number;
  readonly trace: readonly string[];
  /** Deliveries of messages that had succeeded before. */
  readonly duplicates: number;
  readonly deadLettered: number;
  /** Messages that the filters took out. */
  readonly filtered: number;
  readonly virtualMs: number;
}

const STEP_MS = 1_000;
/** The filter of queues that have one. */
const WANTED = '{"body":{"kind":["wanted"]}}';
const ONE_LOOK_BYTES = LARGEST_MESSAGE_BYTES * MEMORY_PER_MESSAGE_BYTE;
/** A drained poller ends its long poll, the batch in flight and its deletes. */
const STOP_WITHIN_MS = 60_000;

/** Runs one seed's plan to its end: everything settled and every poller stopped, or a promise broken. */
export async function simulate(plan: SimulationPlan, mutant: Mutant = {}, isTraced = false): Promise<SimulationResult> {
  const simulation = new Simulation(plan, mutant, isTraced);
  await simulation.run();
  return simulation.result();
}

class Simulation {
  readonly #plan: SimulationPlan;
  readonly #sim = new SimClock();
  readonly #startMs = this.#sim.nowMs();
  readonly #random;
  readonly #ledger: SimulationLedger;
  readonly #witness: WitnessedLeases;
  readonly #queues = new Map<string, FakeQueue>();
  readonly #world: SimulatedWorld;
  readonly #pollers: SimulatedPoller[] = [];
  #store: Coordination;
  #config: WherryConfig;
  #started = 0;
  #healedAtMs: number;

  constructor(plan: SimulationPlan, mutant: Mutant, isTraced: boolean) {
    this.#plan = plan;
    this.#random = seededRandom(plan.seed ^ 0x5eed);
    this.#ledger = new SimulationLedger(this.#sim, isTraced);
    this.#witness = new WitnessedLeases(this.#sim, this.#ledger);
    this.#store = createMemoryCoordination(this.#sim.clock());
    this.#config = configOf(plan, 0);
    this.#healedAtMs = this.#startMs + Math.max(plan.busyMs, ...plan.faults.map((fault) => fault.atMs + fault.durationMs));
    for (const queue of plan.queues) this.#queues.set(queue.name, this.#createQueue(queue));
    this.#world = {
      sim: this.#sim,
      random: this.#random,
      ledger: this.#ledger,
      witness: this.#witness,
      coordination: {
        leases: this.#witness.witness(currentOf(() => this.#store.leases)),
        members: currentOf(() => this.#store.members),
        permits: currentOf(() => this.#store.permits),
        gates: currentOf(() => this.#store.gates),
        scale: currentOf(() => this.#store.scale),
        streams: currentOf(() => this.#store.streams),
        pauses: currentOf(() => this.#store.pauses),
        audit: currentOf(() => this.#store.audit),
      },
      queues: this.#queues,
      functions: this.#createFunctions(),
      latencyMs: plan.latencyMs,
      wallSkewMs: plan.wallSkewMs,
      mutant,
      isStoreAway: false,
      areDeletesLost: false,
      areReceivesLost: false,
    };
  }

  async run(): Promise<void> {
    const { plan, sim, ledger } = { plan: this.#plan, sim: this.#sim, ledger: this.#ledger };
    for (let number = 0; number < plan.pollers; number += 1) sim.after(this.#random() * 2_000, () => this.#start());
    for (const queue of plan.queues) this.#produce(queue);
    for (const fault of plan.faults) sim.after(fault.atMs, () => this.#inflict(fault));
    const deadlineMs = this.#healedAtMs + plan.drainWithinMs;
    while (ledger.violation === undefined) {
      await sim.advance(STEP_MS);
      this.#checkBudgets();
      if (sim.nowMs() >= this.#healedAtMs && ledger.isSettled(this.#isDeadLettered)) break;
      if (sim.nowMs() > deadlineMs)
        ledger.broken('everything drains after the last fault', ledger.unsettled(this.#isDeadLettered).join(','));
    }
    if (ledger.violation === undefined) await this.#stop();
  }

  result(): SimulationResult {
    const { violation, digest, trace, duplicates, filtered } = this.#ledger;
    const deadLettered = [...this.#queues.values()].reduce((sum, queue) => sum + queue.deadLetters.length, 0);
    return { violation, digest, trace, duplicates, deadLettered, filtered, virtualMs: this.#sim.nowMs() - this.#startMs };
  }

  readonly #isDeadLettered = (id: string): boolean =>
    [...this.#queues.values()].some((queue) => queue.deadLetters.some((letter) => letter.messageId === id));

  /** Drains whoever still lives: nothing may be left running, and no lease held. */
  async #stop(): Promise<void> {
    const living = this.#living();
    for (const poller of living) poller.drain();
    const untilMs = this.#sim.nowMs() + STOP_WITHIN_MS;
    while (living.some((poller) => !poller.isStopped) && this.#sim.nowMs() < untilMs) await this.#sim.advance(STEP_MS);
    for (const poller of living) if (!poller.isStopped) this.#ledger.broken('a drained poller stops', poller.token);
    const owners = this.#witness.owners();
    for (const poller of living)
      if ([...owners.values()].includes(poller.token)) this.#ledger.broken('a drained poller holds no lease', poller.token);
    for (const [name, queue] of this.#queues) this.#checkDeadLetters(name, queue);
  }

  /**
   * An answer that is larger than was reserved for it may overdraw the account, by one receive of each mapping. The first look into
   * a queue has room for one message of the largest kind, even where that is all the room there is.
   */
  #checkBudgets(): void {
    const surprise = this.#plan.queues.reduce((sum, queue) => sum + 10 * 3 * (queue.bodyBytes + 1_000), 0);
    for (const poller of this.#living()) {
      const { bufferedBytes } = poller.fleet.status();
      if (bufferedBytes > Math.max(this.#plan.bufferedBytes, ONE_LOOK_BYTES) + surprise)
        this.#ledger.broken('the memory budget holds', `${poller.token}: ${bufferedBytes}`);
    }
  }

  #checkDeadLetters(name: string, queue: FakeQueue): void {
    const { maxReceiveCount } = this.#plan.queues.find((one) => one.name === name)!;
    for (const letter of queue.deadLetters) {
      if (letter.receiveCount !== maxReceiveCount) {
        this.#ledger.broken('dead letters carry the right count', `${letter.messageId} after ${letter.receiveCount} of ${maxReceiveCount}`);
      }
    }
  }

  #living(): SimulatedPoller[] {
    return this.#pollers.filter((poller) => !poller.process.isKilled && !poller.isStopped);
  }

  #start(): void {
    this.#pollers.push(new SimulatedPoller(this.#world, this.#started++, this.#config));
  }

  #produce(queue: SimulatedQueuePlan): void {
    const random = this.#random;
    const times = Array.from({ length: queue.messages }, () => random() * this.#plan.busyMs).sort((one, other) => one - other);
    for (const [order, atMs] of times.entries()) {
      const id = `${queue.name}-m${order}`;
      const group = queue.fifo ? `${queue.name}-g${Math.floor(random() * queue.groups)}` : undefined;
      const isWanted = queue.unwantedEvery === 0 || order % queue.unwantedEvery > 0;
      this.#sim.after(atMs, () => {
        this.#ledger.sent(queue.name, id, group, order, isWanted);
        this.#queues
          .get(queue.name)!
          .send({ messageId: id, body: bodyOf(queue, isWanted), ...(group === undefined ? {} : { messageGroupId: group }) });
      });
    }
  }

  #createQueue(queue: SimulatedQueuePlan): FakeQueue {
    const { fifo, visibilityTimeoutSeconds, maxReceiveCount } = queue;
    return new FakeQueue({ clock: this.#sim.clock(), fifo, visibilityTimeoutSeconds, maxReceiveCount });
  }

  #createFunctions(): Map<string, SimulatedFunction> {
    const functions = new Map<string, SimulatedFunction>();
    const poison = new Set(this.#plan.queues.flatMap(poisonIds));
    for (const queue of this.#plan.queues) {
      const name = functionName(this.#plan, queue);
      const plans = new Map(this.#plan.queues.filter((one) => functionName(this.#plan, one) === name).map((one) => [one.name, one]));
      const options = { sim: this.#sim, random: this.#random, ledger: this.#ledger, plans, latencyMs: this.#plan.latencyMs };
      functions.set(name, new SimulatedFunction(options, (id) => poison.has(id)));
    }
    return functions;
  }

  #inflict(fault: PlannedFault): void {
    const living = this.#living().filter((poller) => !poller.isDraining && !poller.process.isPaused);
    const poller = living[fault.target % Math.max(1, living.length)];
    this.#ledger.note(`fault ${fault.kind} ${poller?.token ?? ''} ${fault.durationMs}`);
    switch (fault.kind) {
      case 'kill':
        if (poller === undefined) return;
        this.#ledger.pollerFailed(poller.token, 'kill');
        poller.process.kill();
        this.#after(fault, () => this.#start());
        return;
      case 'pause':
        if (poller === undefined) return;
        this.#ledger.pollerFailed(poller.token, 'pause');
        poller.process.pause();
        this.#after(fault, () => poller.process.resume());
        return;
      case 'drain':
        poller?.drain();
        this.#start();
        return;
      case 'terminate':
        poller?.terminate(Math.min(fault.durationMs, 2_000));
        this.#start();
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
        this.#world.isStoreAway = true;
        this.#after(fault, () => (this.#world.isStoreAway = false));
        return;
      case 'storeWipe':
        this.#store = createMemoryCoordination(this.#sim.clock());
        this.#witness.wiped();
        this.#ledger.permitsLost(2_000 * Math.max(...this.#plan.queues.map((queue) => queue.timeoutSeconds)));
        return;
      case 'lostDeletes':
        this.#world.areDeletesLost = true;
        this.#after(fault, () => (this.#world.areDeletesLost = false));
        return;
      case 'lostReceives':
        this.#world.areReceivesLost = true;
        this.#after(fault, () => (this.#world.areReceivesLost = false));
        return;
      case 'targetDown':
        for (const fn of this.#world.functions.values()) fn.setDown(true);
        this.#after(fault, () => [...this.#world.functions.values()].forEach((fn) => fn.setDown(false)));
        return;
      case 'reload':
        this.#reloadAll(fault.target + 1);
        this.#after(fault, () => this.#reloadAll(0));
        return;
      case 'join':
        this.#start();
        return;
    }
  }

  /** Every poller sees the changed file within a few seconds, each at its own time, so configurations are skewed meanwhile. */
  #reloadAll(version: number): void {
    this.#config = configOf(this.#plan, version);
    for (const poller of this.#living()) this.#sim.after(this.#random() * 5_000, () => poller.reload(() => this.#config));
  }

  #after(fault: PlannedFault, heal: () => void): void {
    this.#sim.after(fault.durationMs, () => {
      this.#ledger.note(`healed ${fault.kind}`);
      heal();
    });
  }
}

/** A port whose implementation can be exchanged under everybody's hands, as a wiped store is. */
function currentOf<Port extends object>(current: () => Port): Port {
  return new Proxy({} as Port, {
    get(_, name) {
      const port = current();
      const method: unknown = Reflect.get(port, name);
      return typeof method === 'function' ? method.bind(port) : method;
    },
  });
}

function functionName(plan: SimulationPlan, queue: SimulatedQueuePlan): string {
  return plan.isFunctionShared ? 'shared' : `${queue.name}-function`;
}

function poisonIds(queue: SimulatedQueuePlan): string[] {
  if (queue.poisonEvery === 0) return [];
  return Array.from(
    { length: Math.floor(queue.messages / queue.poisonEvery) },
    (_, index) => `${queue.name}-m${(index + 1) * queue.poisonEvery - 1}`,
  );
}

/** JSON where there is a filter to read it. */
function bodyOf(queue: SimulatedQueuePlan, isWanted: boolean): string {
  const fill = 'x'.repeat(queue.bodyBytes);
  return queue.unwantedEvery === 0 ? fill : JSON.stringify({ kind: isWanted ? 'wanted' : 'unwanted', fill });
}

/** @param version 0 at the start; others differ in batch size, are disabled for a while, or name another target */
function configOf(plan: SimulationPlan, version: number): WherryConfig {
  return sampleConfig({
    hash: `version ${version}`,
    limits: { bufferedBytes: plan.bufferedBytes, inFlight: plan.inFlight, shardsPerPoller: plan.shardsPerPoller },
    functions: plan.queues.map((queue) =>
      sampleFunction({
        name: functionName(plan, queue),
        timeoutSeconds: queue.timeoutSeconds,
        ...(version % 3 === 2 ? { target: { kind: 'http', url: `http://127.0.0.1/${version}`, headers: {} } } : {}),
        ...(queue.reservedConcurrentExecutions === undefined ? {} : { reservedConcurrentExecutions: queue.reservedConcurrentExecutions }),
      }),
    ),
    mappings: plan.queues.map((queue) => mappingOf(plan, queue, version)),
  });
}

function mappingOf(plan: SimulationPlan, queue: SimulatedQueuePlan, version: number): SqsMapping {
  return sampleMapping({
    name: queue.name,
    uuid: uuidOf(queue.name),
    functionName: functionName(plan, queue),
    fifo: queue.fifo,
    batchSize: version % 3 === 1 ? 3 : queue.batchSize,
    enabled: version === 0 || version % 3 !== 0,
    maximumBatchingWindowInSeconds: queue.maximumBatchingWindowInSeconds,
    reportBatchItemFailures: queue.reportBatchItemFailures,
    filterPatterns: queue.unwantedEvery === 0 ? [] : [WANTED],
    ...(queue.maximumConcurrency === undefined ? {} : { maximumConcurrency: queue.maximumConcurrency }),
  });
}
