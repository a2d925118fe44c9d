import type { TestStreamRecord } from './test-streams.ts';

/** A record that stands in a shard. */
export interface DoubleRecord {
  readonly SequenceNumber: string;
  readonly PartitionKey: string;
  readonly Data: string;
  readonly ApproximateArrivalTimestamp: number;
}

/** A shard of a `DoubleStream`. */
export interface DoubleShard {
  readonly id: string;
  readonly parentIds: readonly string[];
  readonly start: bigint;
  readonly end: bigint;
  readonly records: DoubleRecord[];
  children: readonly DoubleShard[];
}

const HASH_KEYS = 2n ** 128n;
let serial = 0;

/** A Kinesis stream in memory, with shards that split and merge. Sequence numbers carry the stream's serial, so that another's is known. */
export class DoubleStream {
  readonly name: string;
  readonly arn: string;
  /** Epoch seconds. */
  readonly createdAt = Date.now() / 1000;
  readonly shards: DoubleShard[] = [];
  /** Names of consumers, and when they become active, epoch milliseconds. */
  readonly consumers = new Map<string, number>();
  /** Is called after every change. */
  onChange: () => void = () => {};
  readonly #serial = String((serial += 1)).padStart(8, '0');
  #counter = 0n;

  constructor(name: string, shardCount: number) {
    this.name = name;
    this.arn = `arn:aws:kinesis:us-east-1:000000000000:stream/${name}`;
    const width = HASH_KEYS / BigInt(shardCount);
    for (let i = 0n; i < BigInt(shardCount); i += 1n) this.#addShard([], i * width, (i + 1n) * width - 1n);
  }

  /** A number behind all that was given out. */
  nextSequenceNumber(): string {
    this.#counter += 1n;
    return `4968${this.#serial}${String(this.#counter).padStart(32, '0')}`;
  }

  /** Whether this stream has given the number out. */
  isOwn(sequenceNumber: string): boolean {
    return sequenceNumber.startsWith(`4968${this.#serial}`);
  }

  get openShards(): DoubleShard[] {
    return this.shards.filter(({ children }) => children.length === 0);
  }

  /** Writes to one shard, whatever the hash of the key; to the first open one unless given. */
  put(records: readonly TestStreamRecord[], shard: DoubleShard | undefined = this.openShards[0]): string[] {
    const written = records.map(({ partitionKey, data }) => ({
      SequenceNumber: this.nextSequenceNumber(),
      PartitionKey: partitionKey,
      Data: data,
      ApproximateArrivalTimestamp: Date.now() / 1000,
    }));
    shard?.records.push(...written);
    this.onChange();
    return written.map(({ SequenceNumber }) => SequenceNumber);
  }

  /** Splits a shard in the middle. */
  split(shard: DoubleShard): DoubleShard[] {
    const middle = (shard.start + shard.end) / 2n;
    shard.children = [this.#addShard([shard.id], shard.start, middle), this.#addShard([shard.id], middle + 1n, shard.end)];
    this.onChange();
    return [...shard.children];
  }

  merge(shard: DoubleShard, adjacent: DoubleShard): DoubleShard {
    const merged = this.#addShard([shard.id, adjacent.id], shard.start, adjacent.end);
    for (const parent of [shard, adjacent]) parent.children = [merged];
    this.onChange();
    return merged;
  }

  #addShard(parentIds: readonly string[], start: bigint, end: bigint): DoubleShard {
    const id = `shardId-${String(this.shards.length).padStart(12, '0')}`;
    const shard: DoubleShard = { id, parentIds, start, end, records: [], children: [] };
    this.shards.push(shard);
    return shard;
  }
}
