import type { HeldLease } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { FunctionDefinition, SqsMapping } from '@wherry/core/mapping';
import type { QueueMessage } from '@wherry/core/queue-source';
import { ByteBudget } from '@wherry/engine/byte-budget';
import { QueueMapping } from '@wherry/engine/queue-mapping';
import { Semaphore } from '@wherry/engine/semaphore';
import { TargetGate } from '@wherry/engine/target-gate';
import { FakeInvoker, type FakeInvokerOptions } from '@wherry/testkit/fake-invoker';
import { FakeQueue, type FakeQueueOptions } from '@wherry/testkit/fake-queue';
import { MemoryGateStore } from '@wherry/testkit/memory-gate-store';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { MemoryScaleStore } from '@wherry/testkit/memory-scale-store';
import { sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';

/** A lease that a test yields and loses by hand. */
export class TestLease implements HeldLease {
  readonly epoch = 1;
  readonly id: string;
  readonly checkpoint = undefined;
  readonly window = '';
  isGood = true;
  readonly #yielding = new AbortController();
  readonly #losing = new AbortController();

  constructor(id: string) {
    this.id = id;
  }

  get yielded(): AbortSignal {
    return this.#yielding.signal;
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  isValid(): boolean {
    return this.isGood;
  }

  weigh(): void {
    // A slot weighs what every slot weighs.
  }

  yield(): void {
    this.#yielding.abort();
  }

  lose(): void {
    this.isGood = false;
    this.#losing.abort();
  }
}

export interface QueueBenchOptions {
  readonly mapping?: Partial<SqsMapping>;
  readonly function?: Partial<FunctionDefinition>;
  readonly queue?: Partial<Omit<FakeQueueOptions, 'clock'>>;
  readonly invoker?: Omit<FakeInvokerOptions, 'clock'>;
  readonly slots?: number;
  readonly bufferedBytes?: number;
  readonly inFlight?: number;
  readonly shutdownGraceMs?: number;
  readonly matches?: (message: QueueMessage) => boolean;
}

/** One slot under a lease, and how it ended. */
interface BenchSlot {
  readonly lease: TestLease;
  ended: 'running' | 'resolved' | 'rejected';
  error: unknown;
}

/** The real queue loop of one mapping on one poller; clock, queue, function and stores are fakes. */
export class QueueBench {
  readonly sim = new SimClock();
  readonly events: EngineEvent[] = [];
  readonly drain = new AbortController();
  readonly kill = new AbortController();
  readonly retired = new AbortController();
  readonly queue: FakeQueue;
  readonly invoker: FakeInvoker;
  readonly permits: MemoryPermitStore;
  readonly gates: MemoryGateStore;
  readonly scale: MemoryScaleStore;
  readonly bytes: ByteBudget;
  readonly gate: TargetGate;
  readonly queueMapping: QueueMapping;
  readonly slots: BenchSlot[] = [];

  constructor(options: QueueBenchOptions = {}) {
    const clock = this.sim.clock();
    let ids = 0;
    const surroundings = { clock, random: seededRandom(1), newId: () => `id-${ids++}` };
    const observe = (event: EngineEvent): void => void this.events.push(event);
    const fn = sampleFunction(options.function);
    const mapping = sampleMapping(options.mapping);
    this.queue = new FakeQueue({ clock, visibilityTimeoutSeconds: 30, fifo: mapping.fifo, ...options.queue });
    this.invoker = new FakeInvoker({ clock, ...options.invoker });
    this.permits = new MemoryPermitStore(clock);
    this.gates = new MemoryGateStore(clock);
    this.scale = new MemoryScaleStore(clock);
    this.bytes = new ByteBudget(options.bufferedBytes ?? 256 * 1024 * 1024, clock);
    this.gate = new TargetGate({ surroundings, store: this.gates, target: fn.name, owner: 'poller-1', observe });
    this.queueMapping = new QueueMapping({
      surroundings,
      stop: { drain: this.drain.signal, kill: this.kill.signal },
      shutdownGraceMs: options.shutdownGraceMs ?? 110_000,
      fleetId: 't1',
      mapping,
      function: fn,
      source: this.queue,
      invoker: this.invoker,
      gate: this.gate,
      bytes: this.bytes,
      inFlight: new Semaphore(options.inFlight ?? 200),
      permits: this.permits,
      scale: this.scale,
      observe,
      matches: options.matches,
    });
    for (let index = 0; index < (options.slots ?? 1); index += 1) this.startSlot();
  }

  startSlot(): TestLease {
    const slot: BenchSlot = { lease: new TestLease(`slot-${this.slots.length}`), ended: 'running', error: undefined };
    this.slots.push(slot);
    this.queueMapping.runSlot(slot.lease, this.retired.signal).then(
      () => {
        slot.ended = 'resolved';
      },
      (error: unknown) => {
        slot.ended = 'rejected';
        slot.error = error;
      },
    );
    return slot.lease;
  }

  send(count: number, body = 'x', messageGroupId?: string): string[] {
    return Array.from({ length: count }, () => this.queue.send({ body, ...(messageGroupId === undefined ? {} : { messageGroupId }) }));
  }

  /** Virtual seconds since the bench began. */
  seconds(atMs: number): number {
    return (atMs - START_MS) / 1_000;
  }

  yieldAll(): void {
    for (const slot of this.slots) slot.lease.yield();
  }

  /** Sizes of the batches invoked so far. */
  get batchSizes(): number[] {
    return this.invoker.seen.map((invocation) => invocation.messageIds.length);
  }

  ofType<Type extends EngineEvent['type']>(type: Type): Extract<EngineEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { type: Type }> => event.type === type);
  }

  /** Sum of a count over all `settled` events of one action. */
  settled(action: 'deleted' | 'released' | 'extended', count: 'done' | 'gone' | 'failed'): number {
    return this.ofType('settled')
      .filter((event) => event.action === action)
      .reduce((sum, event) => sum + event[count], 0);
  }
}

const START_MS = new SimClock().nowMs();
