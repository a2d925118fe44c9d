import type { HeldLease } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, StreamMapping } from '@wherry/core/mapping';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import type { StreamRecord } from '@wherry/core/stream-source';
import { type ScriptedResult, success } from '@wherry/testkit/fake-invoker';
import { MemoryGateStore } from '@wherry/testkit/memory-gate-store';
import { MemoryLeaseStore } from '@wherry/testkit/memory-lease-store';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { MemoryStreamStore } from '@wherry/testkit/memory-stream-store';
import { sampleFunction, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { ByteBudget } from '../src/byte-budget.ts';
import { Semaphore } from '../src/semaphore.ts';
import { FilterTurns } from '../src/stream/filter-turns.ts';
import { IdleShards } from '../src/stream/idle-shards.ts';
import { StreamMemory } from '../src/stream/stream-memory.ts';
import { StreamShards } from '../src/stream/stream-shards.ts';
import { TargetGate } from '../src/target-gate.ts';
import { ScriptedStream } from './scripted-stream.ts';

/** The shard of tests that need no other. */
export const SHARD = 'shardId-000000000000';
/** Nobody renews it. */
const TTL_MS = 10 * 86_400_000;
const OWNER = 'poller-1';

/** One invocation as the function saw it. */
export interface Call {
  /** Numbers of the records. */
  readonly records: readonly number[];
  readonly event: Readonly<Record<string, unknown>>;
  readonly request: InvokeRequest;
  readonly atMs: number;
}

/** What a bench is made of. */
export interface BenchOptions {
  readonly mapping?: Partial<StreamMapping>;
  readonly function?: Partial<FunctionDefinition>;
  /** What the function answers; success without a body if absent. */
  readonly answer?: (call: Call, index: number) => ScriptedResult;
  readonly durationMs?: number | ((call: Call) => number);
  /** Absent: there is no destination. */
  readonly deliver?: (delivery: FailureDelivery, tries: number) => void;
  readonly matches?: (record: StreamRecord) => boolean;
  readonly bufferedBytes?: number;
  /** 0.5 if absent. */
  readonly random?: () => number;
}

/** A lease in the hands of a test. */
export class BenchLease implements HeldLease {
  readonly id: string;
  readonly epoch: number;
  readonly checkpoint: string | undefined;
  readonly window: string;
  readonly yielding = new AbortController();
  readonly losing = new AbortController();
  isGood = true;
  weight = 1;

  constructor(id: string, epoch: number, checkpoint: string | undefined, window: string) {
    this.id = id;
    this.epoch = epoch;
    this.checkpoint = checkpoint;
    this.window = window;
  }

  get yielded(): AbortSignal {
    return this.yielding.signal;
  }

  get lost(): AbortSignal {
    return this.losing.signal;
  }

  isValid(): boolean {
    return this.isGood && !this.lost.aborted;
  }

  weigh(weight: number): void {
    this.weight = weight;
  }
}

/** A shard's life under a lease. */
export interface BenchRun {
  readonly lease: BenchLease;
  readonly retired: AbortController;
  /** Resolves when the run has ended. */
  readonly ended: Promise<void>;
  isOver: boolean;
}

/** Shards of one mapping in virtual time: the real loop, memory stores, a scripted stream, function and destination. */
export class ShardBench implements Invoker {
  readonly sim = new SimClock();
  readonly clock = this.sim.clock();
  readonly mapping: StreamMapping;
  readonly stream: ScriptedStream;
  readonly leases = new MemoryLeaseStore(this.clock);
  readonly streams = new MemoryStreamStore(this.clock);
  readonly calls: Call[] = [];
  readonly deliveries: FailureDelivery[] = [];
  readonly events: EngineEvent[] = [];
  readonly kill = new AbortController();
  readonly bytes: ByteBudget;
  readonly shards: StreamShards;
  readonly gate: TargetGate;
  readonly idleShards = new IdleShards();
  readonly inFlight = new Semaphore(200);
  running = 0;
  peak = 0;
  readonly #options: BenchOptions;
  #ids = 0;

  constructor(options: BenchOptions = {}) {
    this.#options = options;
    this.mapping = sampleStreamMapping({
      ...(options.deliver === undefined ? {} : { onFailure: { kind: 'failed', name: 'lost' } }),
      ...options.mapping,
    });
    this.stream = new ScriptedStream(this.clock, { arn: this.mapping.eventSourceArn, createdAtMs: 1 });
    const surroundings = { clock: this.clock, random: options.random ?? (() => 0.5), newId: () => `id-${(this.#ids += 1)}` };
    const observe = (event: EngineEvent): void => void this.events.push(event);
    const fn = sampleFunction(options.function);
    this.bytes = new ByteBudget(options.bufferedBytes ?? 256 * 1_048_576, this.clock);
    this.gate = new TargetGate({ surroundings, store: new MemoryGateStore(this.clock), target: fn.name, owner: OWNER, observe });
    this.shards = new StreamShards({
      surroundings,
      stop: { drain: new AbortController().signal, kill: this.kill.signal },
      fleetId: 't1',
      owner: OWNER,
      mapping: this.mapping,
      function: fn,
      source: this.stream,
      invoker: this,
      gate: this.gate,
      bytes: this.bytes,
      inFlight: this.inFlight,
      permits: new MemoryPermitStore(this.clock),
      leases: this.leases,
      streams: this.streams,
      memory: new StreamMemory(),
      destination: options.deliver === undefined ? undefined : this.#destination(options.deliver),
      matches: options.matches,
      idleShards: this.idleShards,
      filterTurns: new FilterTurns(this.clock),
      observe,
    });
  }

  unit(shardId = SHARD): string {
    return shardUnitId(this.mapping.uuid, streamKey(this.stream.stream), shardId);
  }

  /** Puts records with these numbers into the shard, now. */
  put(
    numbers: readonly number[],
    so: { readonly shard?: string; readonly key?: (n: number) => string; readonly atMs?: number; readonly bytes?: number } = {},
  ): void {
    const atMs = so.atMs ?? this.clock.nowMs();
    this.stream.shard(so.shard ?? SHARD).records.push(...numbers.map((n) => benchRecord(n, atMs, so.key?.(n), so.bytes)));
  }

  /** Takes the shard's lease, which is created at TRIM_HORIZON if there is none, and runs it. */
  async start(shardId = SHARD, checkpoint = 'TRIM_HORIZON'): Promise<BenchRun> {
    const id = this.unit(shardId);
    await this.leases.create([{ id, checkpoint, ended: false }]);
    const taken = await this.leases.acquire(id, OWNER, TTL_MS);
    if (taken.kind !== 'acquired') throw new Error(`${id} is ${taken.kind}`);
    return this.run(new BenchLease(id, taken.epoch, taken.checkpoint, taken.window), shardId);
  }

  run(lease: BenchLease, shardId = SHARD): BenchRun {
    const retired = new AbortController();
    const run: BenchRun = { lease, retired, ended: this.shards.runShard(lease, shardId, retired.signal), isOver: false };
    void run.ended.then(
      () => (run.isOver = true),
      () => (run.isOver = true),
    );
    return run;
  }

  /** The poller gives the lease away: its run is told to yield, ends, and the lease is released. */
  async handOver(run: BenchRun): Promise<void> {
    run.lease.yielding.abort();
    await this.pass(1_000);
    if (!run.isOver) throw new Error('the run did not end');
    await this.leases.release(run.lease.id, OWNER, run.lease.epoch);
  }

  /** The poller dies: nothing of it is heard any more, and its lease lapses. */
  async crash(run: BenchRun): Promise<void> {
    run.lease.losing.abort();
    await this.leases.release(run.lease.id, OWNER, run.lease.epoch);
  }

  async pass(ms: number): Promise<void> {
    await this.sim.advance(ms);
  }

  /** The number in the stored checkpoint, or its text. */
  async checkpoint(shardId = SHARD): Promise<number | string | undefined> {
    const [view] = await this.leases.view([this.unit(shardId)]);
    const text = view?.checkpoint;
    return text !== undefined && /^\d+$/.test(text) ? numberOfText(text) : text;
  }

  /** The invocations, as `[1,2] [3]`. */
  get trace(): string {
    return this.calls.map(({ records }) => `[${records.join(',')}]`).join(' ');
  }

  told<Type extends EngineEvent['type']>(type: Type): Extract<EngineEvent, { readonly type: Type }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { readonly type: Type }> => event.type === type);
  }

  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const { answer = () => success(), durationMs = 0 } = this.#options;
    const event = JSON.parse(new TextDecoder().decode(request.payload)) as { readonly Records: readonly { readonly n: number }[] };
    const atMs = this.clock.monotonicMs();
    const call: Call = { records: event.Records.map(({ n }) => n), event, request, atMs };
    const index = this.calls.push(call) - 1;
    this.running += 1;
    this.peak = Math.max(this.peak, this.running);
    const result = answer(call, index);
    await this.clock.sleep(typeof durationMs === 'number' ? durationMs : durationMs(call), request.signal);
    this.running -= 1;
    const tookMs = this.clock.monotonicMs() - atMs;
    if (request.signal.aborted) return { kind: 'unavailable', reason: 'aborted', permanent: false, durationMs: tookMs };
    return { ...result, durationMs: tookMs };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #destination(deliver: NonNullable<BenchOptions['deliver']>): FailureDestination {
    const tries = new Map<string, number>();
    return {
      deliver: (delivery) => {
        const count = (tries.get(delivery.id) ?? 0) + 1;
        tries.set(delivery.id, count);
        try {
          deliver(delivery, count);
        } catch (error) {
          return Promise.reject(error);
        }
        this.deliveries.push(delivery);
        return Promise.resolve();
      },
      close: () => undefined,
    };
  }
}

/** A record whose number stands in its event and in its sequence number, which is as long as Kinesis' own. */
export function benchRecord(n: number, arrivedAtMs: number, orderKey = 'key', recordBytes?: number): StreamRecord {
  const recordJson = `{"n":${n}}`;
  return { sequenceNumber: sequenceNumberOf(n), arrivedAtMs, orderKey, recordJson, recordBytes: recordBytes ?? recordJson.length };
}

/** The sequence number of record `n`. */
export function sequenceNumberOf(n: number): string {
  return `4966${String(n).padStart(52, '0')}`;
}

/** The number in a sequence number of `benchRecord`. */
export function numberOfText(sequenceNumber: string): number {
  return Number(sequenceNumber.slice('4966'.length));
}

/** `batchItemFailures` of these records. */
export function reports(...numbers: readonly number[]): ScriptedResult {
  return success({ batchItemFailures: numbers.map((n) => ({ itemIdentifier: sequenceNumberOf(n) })) });
}

/** All whole numbers from the first to the last, both included. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
