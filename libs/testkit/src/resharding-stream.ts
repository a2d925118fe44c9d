import type { Random } from '@wherry/core/clock';
import type { StreamShard } from '@wherry/core/stream-source';

/** A record of a resharding stream. Numbers grow over the whole stream, as sequence numbers do. */
export interface SketchRecord {
  readonly number: number;
  readonly atMs: number;
}

/** A shard of a resharding stream, with everything that ever was in it. */
export interface SketchShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  readonly records: SketchRecord[];
  readonly createdAtMs: number;
  /** Infinity while it is open, and while it exists. */
  closedAtMs: number;
  trimmedAtMs: number;
}

/** A stream whose shards split and merge at random, and which can be listed as it was some time ago. */
export class ReshardingStream {
  readonly shards = new Map<string, SketchShard>();
  readonly #open = new Map<string, SketchShard>();
  #lastNumber = 0;

  constructor(shards: number, nowMs: number) {
    for (let i = 0; i < shards; i += 1) this.#create([], nowMs);
  }

  /** Puts one record into a random open shard. */
  put(random: Random, nowMs: number): void {
    this.putInto(this.#pick(random), nowMs);
  }

  /** Puts a record into each open shard. */
  putEverywhere(nowMs: number): void {
    for (const shard of this.#open.values()) this.putInto(shard, nowMs);
  }

  /** Puts one record into this shard. */
  putInto(shard: SketchShard, nowMs: number): void {
    this.#lastNumber += 1;
    shard.records.push({ number: this.#lastNumber, atMs: nowMs });
  }

  /** Closes a random shard and opens two in its place. */
  split(random: Random, nowMs: number): void {
    const parent = this.#close(this.#pick(random), nowMs);
    this.#create([parent], nowMs);
    this.#create([parent], nowMs);
  }

  /** Closes two random shards and opens one in their place. */
  merge(random: Random, nowMs: number): void {
    if (this.#open.size < 2) return;
    const one = this.#close(this.#pick(random), nowMs);
    const other = this.#close(this.#pick(random), nowMs);
    this.#create([one, other], nowMs);
  }

  /** Replaces a random shard by another, as DynamoDB does every few hours. */
  roll(random: Random, nowMs: number): void {
    this.#create([this.#close(this.#pick(random), nowMs)], nowMs);
  }

  /** Removes the shards that have been closed for so long, with their records. */
  trim(retentionMs: number, nowMs: number): void {
    for (const shard of this.shards.values()) {
      if (shard.trimmedAtMs === Infinity && shard.closedAtMs + retentionMs <= nowMs) shard.trimmedAtMs = nowMs;
    }
  }

  /** The shards as they were at this time, in an order that tells nothing. */
  list(atMs: number): StreamShard[] {
    const listed = [...this.shards.values()].filter(({ createdAtMs, trimmedAtMs }) => createdAtMs <= atMs && atMs < trimmedAtMs);
    return listed.toReversed().map(({ shardId, parentShardIds, closedAtMs }) => ({ shardId, parentShardIds, isOpen: atMs < closedAtMs }));
  }

  /** The children of a shard, as the last answer of Kinesis names them. */
  childrenOf(shardId: string): StreamShard[] {
    return [...this.shards.values()]
      .filter(({ parentShardIds }) => parentShardIds.includes(shardId))
      .map((child) => ({ shardId: child.shardId, parentShardIds: child.parentShardIds, isOpen: child.closedAtMs === Infinity }));
  }

  #create(parents: readonly SketchShard[], nowMs: number): void {
    const shardId = `shardId-${String(this.shards.size).padStart(12, '0')}`;
    const shard: SketchShard = {
      shardId,
      parentShardIds: parents.map((parent) => parent.shardId),
      records: [],
      createdAtMs: nowMs,
      closedAtMs: Infinity,
      trimmedAtMs: Infinity,
    };
    this.shards.set(shardId, shard);
    this.#open.set(shardId, shard);
  }

  #close(shard: SketchShard, nowMs: number): SketchShard {
    shard.closedAtMs = nowMs;
    this.#open.delete(shard.shardId);
    return shard;
  }

  #pick(random: Random): SketchShard {
    const open = [...this.#open.values()];
    const shard = open[Math.floor(random() * open.length)];
    if (shard === undefined) throw new Error('a stream has at least one open shard');
    return shard;
  }
}
