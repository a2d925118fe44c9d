import type { Clock } from '@wherry/core/clock';
import { stableHash } from '@wherry/core/stable-hash';
import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { ShardPosition, StreamRecord, StreamShard } from '@wherry/core/stream-source';

/** What is written into a simulated stream. */
export interface SimulatedWrite {
  /** Partition key (Kinesis) or value of the item's key (DynamoDB). */
  readonly key: string;
  /** Payload; the filters of a simulation look at it. */
  readonly data: string;
}

/** A record as the stream keeps it. */
export interface SimulatedRecord extends SimulatedWrite {
  readonly sequenceNumber: string;
  readonly arrivedAtMs: number;
}

/** One shard with everything that ever was in it. */
export interface SimulatedShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  /** Hashes of the keys that it takes: from the first number up to, not including, the second. */
  readonly range: readonly [number, number];
  readonly createdAtMs: number;
  /** Infinity while it is open. */
  closedAtMs: number;
  readonly records: SimulatedRecord[];
}

/** What a simulated stream is made of. */
export interface SimulatedStreamOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  /**
   * `kinesis`: the end of a shard names its children, an iterator can begin at a time, and the source tells how far a reader is behind.
   * `dynamodb`: none of these, arrival times are cut off to the second, and shards roll over by themselves.
   */
  readonly kind: 'kinesis' | 'dynamodb';
  readonly arn: string;
  readonly shards: number;
  /** Reads a second that a shard answers, whoever asks; Kinesis has 5. */
  readonly readsPerSecond: number;
  /** How long an iterator lives: 5 minutes (Kinesis), 15 (DynamoDB), less in simulations. */
  readonly iteratorLifeMs: number;
  readonly retentionMs: number;
  /** Listings show the stream as it was so long ago. */
  readonly listingDelayMs: number;
  /** Most records of one page. */
  readonly recordsPerCall: number;
  /** Most shards of one answer of a listing. */
  readonly shardsPerCall: number;
  /** `dynamodb`: after how long a shard is replaced by another one; Infinity for never. */
  readonly rollAfterMs: number;
  /** Told when an iterator begins at LATEST: what is in the shard by then nobody will see by it. */
  readonly beganAtLatest?: (shardId: string) => void;
  /** Writes a record as the function will see it. */
  readonly writeRecord: (shardId: string, record: SimulatedRecord) => StreamRecord;
}

/** An answer of GetRecords. */
export interface SimulatedPage {
  readonly records: readonly StreamRecord[];
  /** Absent at the end of a closed shard. */
  readonly nextShardIterator?: string;
  readonly childShards?: readonly StreamShard[];
  readonly behindMs?: number;
}

/** What the service answers instead of a result; the name is that of the service's error. */
export class SimulatedServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

const HASHES = 4_294_967_296;
const SECOND_MS = 1_000;
/** Kinesis numbers have 56 digits. DynamoDB's have no fixed length: here they grow by one after some records, as they do there. */
const NUMBER_OF = {
  kinesis: (count: number): string => `49${String(count).padStart(54, '0')}`,
  dynamodb: (count: number): string => String(9_950 + count),
} as const;

/**
 * Kinesis Data Streams or DynamoDB Streams as a service in virtual time, with what no emulator does on demand: shards that split,
 * merge and roll while they are read, the shared limit of reads a shard, iterators that expire, retention, and listings that are
 * out of date. Sequence numbers are unique in the whole stream. Its calls are those of the real services and throw under their names.
 */
export class SimulatedStream {
  readonly shards = new Map<string, SimulatedShard>();
  readonly options: SimulatedStreamOptions;
  readonly identity: StreamIdentity;
  readonly #open: SimulatedShard[] = [];
  /** Per shard: when it was read within the last second. */
  readonly #reads = new Map<string, number[]>();
  #written = 0;
  /** GetRecords calls that arrived, refused ones included. */
  readCalls = 0;

  constructor(options: SimulatedStreamOptions) {
    this.options = options;
    const nowMs = options.clock.nowMs();
    this.identity = { arn: options.arn, createdAtMs: options.kind === 'kinesis' ? nowMs : undefined };
    for (let index = 0; index < options.shards; index += 1) {
      const bound = (part: number): number => Math.floor((HASHES / options.shards) * part);
      this.#create([], [bound(index), bound(index + 1)]);
    }
  }

  /** PutRecord. @returns the record, and the shard that took it */
  put({ key, data }: SimulatedWrite): { readonly shardId: string; readonly record: SimulatedRecord } {
    this.#rollOver();
    const hash = stableHash(key);
    const shard = this.#open.find(({ range }) => range[0] <= hash && hash < range[1]);
    if (shard === undefined) throw new Error(`no open shard takes ${key}`);
    const nowMs = this.options.clock.nowMs();
    const precisionMs = this.options.kind === 'dynamodb' ? SECOND_MS : 1;
    const arrivedAtMs = Math.floor(nowMs / precisionMs) * precisionMs;
    const record = { key, data, sequenceNumber: NUMBER_OF[this.options.kind](this.#written++), arrivedAtMs };
    shard.records.push(record);
    return { shardId: shard.shardId, record };
  }

  /** Closes the n-th open shard and opens two in its place. */
  split(nth: number): void {
    const parent = this.#openShard(nth);
    const [from, to] = parent.range;
    const middle = Math.floor((from + to) / 2);
    if (middle === from) return;
    this.#close(parent);
    this.#create([parent], [from, middle]);
    this.#create([parent], [middle, to]);
  }

  /** Closes the n-th open shard and the one beside it, and opens one in their place. */
  merge(nth: number): void {
    const one = this.#openShard(nth);
    const other = this.#open.find(({ range }) => range[0] === one.range[1] || range[1] === one.range[0]);
    if (other === undefined) return;
    this.#close(one);
    this.#close(other);
    this.#create([one, other], [Math.min(one.range[0], other.range[0]), Math.max(one.range[1], other.range[1])]);
  }

  /** Closes the n-th open shard and opens another one for the same keys, as DynamoDB does every few hours. */
  roll(nth: number): void {
    const parent = this.#openShard(nth);
    this.#close(parent);
    this.#create([parent], parent.range);
  }

  /** Whether the stream still has this record. */
  isTrimmed({ arrivedAtMs }: { readonly arrivedAtMs: number }): boolean {
    return arrivedAtMs + this.options.retentionMs <= this.options.clock.nowMs();
  }

  /** Whether a closed shard has left the stream with the last of its records. */
  isGone({ closedAtMs }: SimulatedShard): boolean {
    return closedAtMs + this.options.retentionMs <= this.options.clock.nowMs();
  }

  /** ListShards or DescribeStream: a part of the shards, beginning behind `after`. */
  listShards(after: string | undefined): { readonly shards: readonly StreamShard[]; readonly continueAfter?: string } {
    this.#rollOver();
    const { clock, listingDelayMs, shardsPerCall } = this.options;
    const atMs = clock.nowMs() - listingDelayMs;
    const listed = [...this.shards.values()].filter(
      // The first shards are listed at once: nobody is told of a stream before it is active.
      (shard) => (shard.createdAtMs <= atMs || shard.parentShardIds.length === 0) && !this.isGone(shard),
    );
    const rest = after === undefined ? listed : listed.filter(({ shardId }) => shardId > after);
    const page = rest.slice(0, shardsPerCall);
    const shards = page.map((shard) => ({
      shardId: shard.shardId,
      parentShardIds: shard.parentShardIds,
      isOpen: shard.closedAtMs > atMs,
    }));
    const last = page.at(-1)?.shardId;
    return page.length < rest.length && last !== undefined ? { shards, continueAfter: last } : { shards };
  }

  /** GetShardIterator. The iterator's text holds all that there is to know of it. */
  getShardIterator(shardId: string, position: ShardPosition): string {
    this.#rollOver();
    const shard = this.#existing(shardId);
    if (position.kind === 'LATEST') this.options.beganAtLatest?.(shardId);
    return this.#iterator(shard, this.#indexOf(shard, position));
  }

  /** GetRecords. */
  getRecords(shardIterator: string, limit: number): SimulatedPage {
    this.#rollOver();
    this.readCalls += 1;
    const { clock, iteratorLifeMs, recordsPerCall, writeRecord } = this.options;
    const [shardId = '', place = '', issued = ''] = shardIterator.split('|');
    const shard = this.#existing(shardId);
    this.#countRead(shardId);
    if (clock.nowMs() - Number(issued) >= iteratorLifeMs) throw new SimulatedServiceError('ExpiredIteratorException', 'Iterator expired.');
    const from = this.#untrimmed(shard, Number(place));
    const records = shard.records.slice(from, from + Math.min(limit, recordsPerCall));
    const next = from + records.length;
    const isEnd = next === shard.records.length && shard.closedAtMs <= clock.nowMs();
    const behind = this.options.kind === 'kinesis' ? { behindMs: this.#behindMs(shard, next) } : {};
    return {
      records: records.map((record) => writeRecord(shardId, record)),
      ...(isEnd ? this.#namedChildren(shardId) : { nextShardIterator: this.#iterator(shard, next) }),
      ...behind,
    };
  }

  #indexOf(shard: SimulatedShard, position: ShardPosition): number {
    switch (position.kind) {
      case 'TRIM_HORIZON':
        return this.#oldest(shard);
      case 'LATEST':
        return shard.records.length;
      case 'AT_TIMESTAMP': {
        if (this.options.kind === 'dynamodb')
          throw new SimulatedServiceError('ValidationException', 'AT_TIMESTAMP is not an iterator type');
        if (position.timestampMs > this.options.clock.nowMs())
          throw new SimulatedServiceError('InvalidArgumentException', 'The timestamp is in the future.');
        const found = shard.records.findIndex(({ arrivedAtMs }) => arrivedAtMs >= position.timestampMs);
        return found === -1 ? shard.records.length : Math.max(found, this.#oldest(shard));
      }
      case 'AT_SEQUENCE_NUMBER':
      case 'AFTER_SEQUENCE_NUMBER': {
        const least = position.kind === 'AT_SEQUENCE_NUMBER' ? 0 : 1;
        const found = shard.records.findIndex((record) => compareSequenceNumbers(record.sequenceNumber, position.sequenceNumber) >= least);
        return this.#untrimmed(shard, found === -1 ? shard.records.length : found);
      }
    }
  }

  /** The place, or the oldest record if that place is trimmed: Kinesis goes on there by itself, DynamoDB refuses. */
  #untrimmed(shard: SimulatedShard, place: number): number {
    const oldest = this.#oldest(shard);
    if (place >= oldest) return place;
    if (this.options.kind === 'kinesis') return oldest;
    throw new SimulatedServiceError('TrimmedDataAccessException', 'The operation attempted to read past the oldest record in the shard.');
  }

  #oldest(shard: SimulatedShard): number {
    const found = shard.records.findIndex((record) => !this.isTrimmed(record));
    return found === -1 ? shard.records.length : found;
  }

  #behindMs(shard: SimulatedShard, next: number): number {
    const waiting = shard.records[next];
    return waiting === undefined ? 0 : Math.max(1, this.options.clock.nowMs() - waiting.arrivedAtMs);
  }

  #namedChildren(shardId: string): Pick<SimulatedPage, 'childShards'> {
    if (this.options.kind === 'dynamodb') return {};
    const children = [...this.shards.values()].filter(({ parentShardIds }) => parentShardIds.includes(shardId));
    return { childShards: children.map((child) => ({ ...pick(child), isOpen: child.closedAtMs === Infinity })) };
  }

  #iterator({ shardId }: SimulatedShard, place: number): string {
    return `${shardId}|${place}|${this.options.clock.nowMs()}`;
  }

  #existing(shardId: string): SimulatedShard {
    const shard = this.shards.get(shardId);
    if (shard === undefined || this.isGone(shard))
      throw new SimulatedServiceError('ResourceNotFoundException', `Shard ${shardId} does not exist.`);
    return shard;
  }

  #countRead(shardId: string): void {
    const nowMs = this.options.clock.nowMs();
    const reads = (this.#reads.get(shardId) ?? []).filter((atMs) => atMs > nowMs - SECOND_MS);
    this.#reads.set(shardId, reads);
    if (reads.length >= this.options.readsPerSecond)
      throw new SimulatedServiceError('ProvisionedThroughputExceededException', `Rate exceeded for shard ${shardId}`);
    reads.push(nowMs);
  }

  #rollOver(): void {
    const nowMs = this.options.clock.nowMs();
    for (const shard of this.#open.filter(({ createdAtMs }) => createdAtMs + this.options.rollAfterMs <= nowMs)) {
      this.roll(this.#open.indexOf(shard));
    }
  }

  #openShard(nth: number): SimulatedShard {
    const shard = this.#open[nth % this.#open.length];
    if (shard === undefined) throw new Error('a stream has at least one open shard');
    return shard;
  }

  #create(parents: readonly SimulatedShard[], range: readonly [number, number]): void {
    const shardId = `shardId-${String(this.shards.size).padStart(12, '0')}`;
    const createdAtMs = this.options.clock.nowMs();
    const shard: SimulatedShard = {
      shardId,
      parentShardIds: parents.map((parent) => parent.shardId),
      range,
      createdAtMs,
      closedAtMs: Infinity,
      records: [],
    };
    this.shards.set(shardId, shard);
    this.#open.push(shard);
  }

  #close(shard: SimulatedShard): void {
    shard.closedAtMs = this.options.clock.nowMs();
    this.#open.splice(this.#open.indexOf(shard), 1);
  }
}

function pick({ shardId, parentShardIds }: SimulatedShard): Pick<StreamShard, 'shardId' | 'parentShardIds'> {
  return { shardId, parentShardIds };
}
