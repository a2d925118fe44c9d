/** Random lives: the real discovery and the real plan of units on a stream that splits and merges, with crashes, late listings and lost rows. */
import type { StreamMapping } from '@wherry/core/mapping';
import { readUnitId } from '@wherry/core/lease-unit';
import { decideShardEnd } from '@wherry/core/stream/shard-end';
import { readPosition } from '@wherry/core/stream/stored-position';
import { DiscoveryWorld } from '@wherry/testkit/discovery-world';
import type { SketchShard } from '@wherry/testkit/resharding-stream';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import { StreamDiscovery } from './stream-discovery.ts';
import { StreamMemory } from './stream-memory.ts';
import { StreamUnits } from './stream-units.ts';

interface Faults {
  /** Part of the looks and ends that break off at a random write. */
  readonly crashes: number;
  /** Part of the steps in which a row is deleted, or, once in ten times, everything. */
  readonly losses: number;
  readonly listingDelayMs: number;
}

const NEVER = new AbortController().signal;

/** Two pollers and their mapping; every poller remembers what it has seen, and reads what the plan says. */
class Life {
  readonly world = new DiscoveryWorld(3);
  readonly delivered = new Map<number, number>();
  readonly outOfOrder: string[] = [];
  readonly #random: () => number;
  readonly #faults: Faults;
  readonly #pollers: readonly { readonly discovery: StreamDiscovery; readonly units: StreamUnits }[];
  wantedSinceMs: number | undefined;

  constructor(seed: number, faults: Faults, mapping: Partial<StreamMapping>) {
    const { world } = this;
    this.#random = seededRandom(seed);
    this.#faults = faults;
    Object.assign(world.mapping, mapping);
    const surroundings = { clock: world.clock, random: this.#random, newId: () => '' };
    this.#pollers = [0, 1].map(() => {
      const memory = new StreamMemory();
      const { mapping: own, source, store } = world;
      const discovery = new StreamDiscovery({ surroundings, mapping: own, source, ...store, memory, observe: () => {} });
      return { discovery, units: new StreamUnits({ ...store, clock: world.clock, memory }) };
    });
  }

  /** Some time passes: the stream changes, somebody looks, some shards are read a little. */
  async step(): Promise<void> {
    const { world } = this;
    const { stream } = world.source;
    await world.sim.advance(1_000 + this.#random() * 60_000);
    const now = world.sim.nowMs();
    for (let i = 0; i < 5; i += 1) stream.put(this.#random, now);
    if (this.#random() < 0.15) stream.split(this.#random, now);
    if (this.#random() < 0.15) stream.merge(this.#random, now);
    if (this.#random() < this.#faults.losses) await this.#lose();
    world.source.delayMs = this.#random() * this.#faults.listingDelayMs;
    await this.look(this.#random() < this.#faults.crashes);
    await this.read(0.4, 4);
  }

  /** Nothing goes wrong any more: everything is read. */
  async settle(): Promise<void> {
    this.world.source.delayMs = 0;
    for (let turn = 0; turn < 30 + this.world.source.stream.shards.size && this.missing().length > 0; turn += 1) {
      await this.world.sim.advance(5_000);
      await this.look(false);
      await this.read(1, Infinity);
    }
  }

  async look(breaksOff: boolean): Promise<void> {
    const { world } = this;
    world.writesLeft = breaksOff ? Math.floor(this.#random() * 4) : Infinity;
    const poller = this.#pollers[this.#random() < 0.5 ? 0 : 1]!;
    const isComplete = await world.finish(poller.discovery.look(NEVER));
    world.writesLeft = Infinity;
    if (isComplete) this.wantedSinceMs ??= world.mapping.startingPosition.kind === 'LATEST' ? world.sim.nowMs() + 1 : 0;
  }

  /** Both pollers scan; each readable shard has its turn with this chance. */
  async read(chance: number, records: number): Promise<void> {
    const { world } = this;
    for (const { units } of this.#pollers) {
      const planned = await units.plan([world.mapping]);
      for (const { id } of planned.units.get(world.mapping.uuid) ?? []) {
        const name = readUnitId(id);
        if (name?.kind === 'shard' && this.#random() < chance) await this.#turn(id, name.shardId, records);
      }
    }
  }

  /** Records that should have been delivered and were not. */
  missing(): number[] {
    const since = this.wantedSinceMs ?? Infinity;
    const all = [...this.world.source.stream.shards.values()].flatMap(({ records }) => records);
    return all.filter(({ number, atMs }) => atMs >= since && !this.delivered.has(number)).map(({ number }) => number);
  }

  async #turn(id: string, shardId: string, records: number): Promise<void> {
    const { leases } = this.world.real;
    const shard = this.world.source.stream.shards.get(shardId)!;
    const taken = await leases.acquire(id, 'reader', 10_000);
    if (taken.kind !== 'acquired') return;
    const position = taken.checkpoint === undefined ? undefined : readPosition(taken.checkpoint);
    if (position !== undefined) {
      const after = position.kind === 'AFTER_SEQUENCE_NUMBER' ? Number(position.sequenceNumber) : -1;
      const sinceMs = position.kind === 'AT_TIMESTAMP' ? position.timestampMs : 0;
      const rest = shard.records.filter(({ number, atMs }) => number > after && atMs >= sinceMs);
      const page = rest.slice(0, records);
      for (const { number } of page) this.#deliver(shard, number);
      const last = page.at(-1);
      if (last !== undefined) await leases.checkpoint(id, 'reader', taken.epoch, String(last.number), '');
      if (shard.closedAtMs < Infinity && page.length === rest.length) await this.#end(id, shard, taken.epoch);
    }
    await leases.release(id, 'reader', taken.epoch);
  }

  async #end(id: string, { shardId }: SketchShard, epoch: number): Promise<void> {
    const { leases, streams } = this.world.real;
    const { mapping, source } = this.world;
    const [register] = await streams.read([{ id: mapping.uuid }]);
    const shards = register === undefined || register === 'unchanged' ? [] : register.shards;
    const registered = new Map(shards.map((shard) => [shard.shardId, shard.parentShardIds]));
    const decision = decideShardEnd({ shardId, childShards: source.stream.childrenOf(shardId), registered, waitedMs: 0 });
    if (decision.kind === 'discover') return;
    const breaksOff = this.#random() < this.#faults.crashes;
    await leases.create(decision.adopt.map((child) => ({ id: this.world.unit(child.shardId), checkpoint: 'TRIM_HORIZON', ended: false })));
    if (breaksOff) return;
    const none = { missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] };
    await streams.change(mapping.uuid, source.identityNow, { register: decision.adopt, ...none });
    await leases.end(id, 'reader', epoch);
  }

  #deliver(shard: SketchShard, number: number): void {
    if (!this.delivered.has(number)) {
      const parents = shard.parentShardIds.map((id) => this.world.source.stream.shards.get(id)!);
      const since = this.wantedSinceMs ?? Infinity;
      const early = parents.filter(({ records }) => records.some((record) => record.atMs >= since && !this.delivered.has(record.number)));
      if (early.length > 0) this.outOfOrder.push(`${number} of ${shard.shardId}`);
    }
    this.delivered.set(number, (this.delivered.get(number) ?? 0) + 1);
  }

  async #lose(): Promise<void> {
    const { stream } = this.world.source;
    const ids = [...stream.shards.keys()];
    if (this.#random() < 0.1) this.world.wipe();
    else await this.world.real.leases.remove([this.world.unit(ids[Math.floor(this.#random() * ids.length)]!)]);
  }
}

async function live(seed: number, faults: Faults, mapping: Partial<StreamMapping>): Promise<Life> {
  const life = new Life(seed, faults, mapping);
  for (let i = 0; i < 10; i += 1) life.world.source.stream.put(seededRandom(seed + i), life.world.sim.nowMs());
  for (let i = 0; i < 60; i += 1) await life.step();
  await life.settle();
  return life;
}

const START = { trimHorizon: { startingPosition: { kind: 'TRIM_HORIZON' } }, latest: { startingPosition: { kind: 'LATEST' } } } as const;

describe.each(Object.entries(START))('from %s', (_, mapping) => {
  it.each([
    ['without faults', { crashes: 0, losses: 0, listingDelayMs: 120_000 }],
    ['with looks and ends that break off', { crashes: 0.3, losses: 0, listingDelayMs: 120_000 }],
    ['with lost rows and wiped stores', { crashes: 0.2, losses: 0.1, listingDelayMs: 60_000 }],
  ])('%s nothing is lost, and no child is before its parents', async (name, faults) => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const life = await live(seed, faults, mapping);
      expect({ seed, missing: life.missing(), outOfOrder: life.outOfOrder }).toEqual({ seed, missing: [], outOfOrder: [] });
      const repeated = [...life.delivered.values()].filter((times) => times > 1).length;
      if (name === 'without faults') expect({ seed, repeated }).toEqual({ seed, repeated: 0 });
    }
  });
});
