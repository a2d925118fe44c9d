import { type Coordination, type HeldLease, StoreError } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import { shardUnitId, type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import { createMemoryCoordination } from './memory-coordination.ts';
import { ReshardingStream } from './resharding-stream.ts';
import { sampleStreamMapping } from './sample-config.ts';
import { SimClock } from './sim-clock.ts';
import { SketchSource } from './sketch-source.ts';

/** Everything that discovery of a stream touches, on a virtual clock: the stream, a store that can fail or be wiped, and what was told. */
export class DiscoveryWorld {
  readonly sim = new SimClock();
  readonly clock = this.sim.clock();
  readonly mapping = sampleStreamMapping();
  readonly events: EngineEvent[] = [];
  readonly source: SketchSource;
  /** The store behind `store`. */
  real: Coordination;
  /** What is left of the store's writes before it fails; Infinity while it does not. */
  writesLeft = Infinity;
  readonly calls: string[] = [];

  constructor(shards: number) {
    const identity: StreamIdentity = { arn: this.mapping.eventSourceArn, createdAtMs: this.sim.nowMs() };
    this.source = new SketchSource(new ReshardingStream(shards, this.sim.nowMs()), identity, this.clock);
    this.real = createMemoryCoordination(this.clock);
  }

  get key(): string {
    return streamKey(this.source.identityNow);
  }

  /** The store as a poller has it; it is the same one after a wipe. */
  get store(): Pick<Coordination, 'leases' | 'streams'> {
    return { leases: this.#port('leases', ['create', 'remove']), streams: this.#port('streams', ['change', 'remove']) };
  }

  wipe(): void {
    this.real = createMemoryCoordination(this.clock);
  }

  unit(shardId: string): string {
    return shardUnitId(this.mapping.uuid, this.key, shardId);
  }

  /** What stands in a shard's row: its position, `ended`, or nothing. */
  async row(shardId: string): Promise<string | undefined> {
    const [view] = await this.real.leases.view([this.unit(shardId)]);
    return view?.ended === true ? 'ended' : view?.checkpoint;
  }

  /** The rows of all shards that the stream ever had, by the number in their id. */
  async rows(): Promise<(string | undefined)[]> {
    return await Promise.all([...this.source.stream.shards.keys()].map((shardId) => this.row(shardId)));
  }

  async registered(): Promise<string[]> {
    const [register] = await this.real.streams.read([{ id: this.mapping.uuid }]);
    return register === undefined || register === 'unchanged' ? [] : register.shards.map(({ shardId }) => shardId).toSorted();
  }

  /** Reads a shard up to this number, as its owner would, and to its end if asked. */
  async read(shardId: string, sequenceNumber: string, isEnd = false): Promise<void> {
    const { leases } = this.real;
    const taken = await leases.acquire(this.unit(shardId), 'reader', 10_000);
    if (taken.kind !== 'acquired') throw new Error(`${shardId} is ${taken.kind}`);
    await leases.checkpoint(this.unit(shardId), 'reader', taken.epoch, sequenceNumber, '');
    if (isEnd) await leases.end(this.unit(shardId), 'reader', taken.epoch);
    await leases.release(this.unit(shardId), 'reader', taken.epoch);
  }

  /** Lets virtual time pass until this has ended. */
  async finish<T>(work: Promise<T>): Promise<T> {
    const state = { isOver: false };
    const over = (): void => void (state.isOver = true);
    work.then(over, over);
    for (let stepMs = 0; !state.isOver; stepMs = 5) await this.sim.advance(stepMs);
    return await work;
  }

  /** Told since the last time this was asked: `found: 1, 2`. */
  told(): string[] {
    return this.events.splice(0).flatMap((event) => {
      if (event.type === 'problem') return [`problem ${event.code}${event.resolved ? ' resolved' : ''}`];
      if (event.type !== 'shards') return [];
      const numbers = event.shards.map((id) => Number(id.slice(-6))).toSorted((one, other) => one - other);
      return [`${event.change}: ${numbers.join(', ')}`];
    });
  }

  #port<Name extends 'leases' | 'streams'>(name: Name, writes: readonly string[]): Coordination[Name] {
    return new Proxy({} as Coordination[Name], {
      get:
        (_, method) =>
        async (...args: unknown[]) => {
          this.calls.push(`${name}.${String(method)}`);
          if (writes.includes(String(method)) && (this.writesLeft -= 1) < 0) throw new StoreError('connection lost');
          const port = this.real[name] as unknown as Record<string | symbol, (...args: unknown[]) => Promise<unknown>>;
          return await port[method]!(...args);
        },
    });
  }
}

/** A lease that is held until somebody says otherwise. */
export function heldLease(id: string): HeldLease & { isGood: boolean; readonly yielding: AbortController } {
  const yielding = new AbortController();
  const lease = {
    id,
    epoch: 1,
    checkpoint: undefined,
    window: '',
    isGood: true,
    yielding,
    isValid: (): boolean => lease.isGood,
    weigh: () => {},
    yielded: yielding.signal,
    lost: new AbortController().signal,
  };
  return lease;
}
