import type { Random } from '@wherry/core/clock';
import type { KnownShard, LineagePlan, LineageSnapshot } from '@wherry/core/stream/lineage';
import type { ShardEnd, ShardEndDecision } from '@wherry/core/stream/shard-end';
import { openingOf } from '@wherry/core/stream/shard-opening';
import type { StartingPosition } from '@wherry/core/stream/starting-set';
import { readPosition, type StoredPosition, writePosition } from '@wherry/core/stream/stored-position';
import { ReshardingStream, type SketchShard } from './resharding-stream.ts';

/** The rules under test; a mutant replaces one of them. */
export interface LineageRules {
  readonly planShards: (snapshot: LineageSnapshot) => LineagePlan;
  readonly readableShards: (known: readonly KnownShard[]) => string[];
  readonly decideShardEnd: (end: ShardEnd) => ShardEndDecision;
}

/** What a life is made of. Probabilities are per step. */
export interface LifeOptions {
  readonly random: Random;
  readonly rules: LineageRules;
  readonly source: 'kinesis' | 'dynamodb';
  readonly start: StartingPosition;
  readonly shards: number;
  /** Listings show the stream as it was up to so long ago. */
  readonly listingDelayMs: number;
  /** Part of the readable shards that are read in a step; below 1 some fall behind the others. */
  readonly turns: number;
  /** A poller dies: between two writes of discovery or of an end, or with records delivered and no checkpoint written. */
  readonly crashes: number;
  /** Rows disappear: one at random, and now and then the whole store. */
  readonly losses: number;
}

interface Row {
  position: StoredPosition;
  isEnded: boolean;
  epoch: number;
}
interface Registered {
  readonly parentShardIds: readonly string[];
  missingSinceMs: number | undefined;
  isRetired: boolean;
}
interface Reader {
  next: number;
  readonly leaveOutBeforeMs: number;
  endedAtMs: number | undefined;
}

/** DynamoDB Local's precision, the coarsest there is. */
const MINUTE_MS = 60_000;

/**
 * The life of one mapping on a resharding stream, in steps of seconds: discovery, shard loops, the store's rows and register, and
 * everything that can go wrong between them. It follows the rules as the fleet does, and keeps book of what they led to.
 */
export class ShardLife {
  readonly stream: ReshardingStream;
  readonly rows = new Map<string, Row>();
  register: Map<string, Registered> | undefined;
  onCheckpointLoss: LineageSnapshot['onCheckpointLoss'] = 'TRIM_HORIZON';
  nowMs = 1_790_000_000_000;
  /** How often each record was given to the function. */
  readonly deliveries = new Map<number, number>();
  readonly outOfOrder: string[] = [];
  readonly vanished = new Set<string>();
  readonly #options: LifeOptions;
  readonly #readers = new Map<string, Reader>();
  readonly #latestOpenedAt = new Map<string, number>();
  readonly #drained = new Set<string>();
  #wantedSinceMs: number | undefined;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.stream = new ReshardingStream(options.shards, this.nowMs);
  }

  /** Some seconds in which anything may happen. */
  step(): void {
    const { random, crashes, losses } = this.#options;
    this.nowMs += 1 + Math.floor(random() * 20_000);
    for (let i = 0; i < 4; i += 1) this.stream.put(random, this.nowMs);
    if (random() < 0.15) this.stream.split(random, this.nowMs);
    if (random() < 0.13) this.stream.merge(random, this.nowMs);
    if (random() < 0.05) this.stream.roll(random, this.nowMs);
    if (random() < losses) this.#lose();
    if (random() < 0.3) this.discover(random() * this.#options.listingDelayMs, random() < crashes);
    this.read(3, crashes, this.#options.turns);
    // A hand-over or a restart: what was read is checkpointed, the readers are gone.
    if (random() < 0.05) this.#readers.clear();
  }

  /** Nothing more goes wrong: reads everything there is. @returns whether an end was reached */
  settle(): boolean {
    this.#readers.clear();
    for (let round = 0; round < 30 + this.stream.shards.size; round += 1) {
      this.nowMs += 5_000;
      this.discover(0, false);
      this.read(Infinity, 0, 1);
      if (this.undelivered().length === 0 && [...this.stream.shards.values()].every((shard) => this.#isSettled(shard))) return true;
    }
    return false;
  }

  /** Records that the mapping should have seen and has not. */
  undelivered(): number[] {
    return [...this.stream.shards.values()].flatMap((shard) => this.#missingOf(shard));
  }

  /** One look at the stream as it was `delayMs` ago. */
  discover(delayMs: number, crashes: boolean): void {
    const listed = this.stream.list(this.nowMs - delayMs);
    const plan = this.#options.rules.planShards({
      listed,
      known: this.#known(listed.map(({ shardId }) => shardId)),
      hasRegister: this.register !== undefined,
      remembersReading: this.#wantedSinceMs !== undefined,
      start: this.#options.start,
      onCheckpointLoss: this.onCheckpointLoss,
      nowMs: this.nowMs,
    });
    for (const shardId of plan.vanished) this.vanished.add(shardId);
    const writes = [
      ...plan.create.map(
        ({ shardId, row }) =>
          () =>
            this.#createRow(shardId, row),
      ),
      () => this.#writeRegister(plan.register),
      () => plan.missing.forEach((id) => this.#mark(id, { missingSinceMs: this.nowMs })),
      () => plan.foundAgain.forEach((id) => this.#mark(id, { missingSinceMs: undefined, isRetired: false })),
      () => plan.retire.forEach((id) => this.#mark(id, { isRetired: true })),
      ...plan.removeRows.map((id) => () => (this.#readers.has(id) ? undefined : this.rows.delete(id))),
      () => plan.unregister.forEach((id) => this.register?.delete(id)),
    ];
    this.#perform(writes, crashes);
  }

  /** One claim scan, and a turn of the loop of each readable shard that has its turn, by chance. */
  read(recordsMax: number, crashes: number, turns: number): void {
    const readable = new Set(this.#options.rules.readableShards(this.#known([])));
    for (const id of this.#readers.keys()) if (!readable.has(id)) this.#readers.delete(id);
    for (const id of readable) if (this.#options.random() < turns) this.#turn(id, recordsMax, crashes);
  }

  #turn(shardId: string, recordsMax: number, crashes: number): void {
    const shard = this.stream.shards.get(shardId);
    const row = this.rows.get(shardId);
    if (shard === undefined || row === undefined || shard.trimmedAtMs <= this.nowMs) return;
    const { random, source } = this.#options;
    const reader = this.#readers.get(shardId) ?? this.#open(shard, row);
    const page = shard.records.slice(reader.next, reader.next + recordsMax);
    let last: number | undefined;
    for (const { number, atMs } of page) {
      const arrivedAtMs = source === 'dynamodb' ? Math.floor(atMs / MINUTE_MS) * MINUTE_MS : atMs;
      if (arrivedAtMs < reader.leaveOutBeforeMs) continue;
      this.#deliver(shard, number);
      last = number;
    }
    reader.next += page.length;
    if (random() < crashes) {
      this.#readers.delete(shardId);
      return;
    }
    if (last !== undefined) row.position = { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: String(last) };
    if (shard.closedAtMs <= this.nowMs && reader.next === shard.records.length) this.#end(shard, row, reader, random() < crashes);
  }

  #open(shard: SketchShard, row: Row): Reader {
    row.epoch += 1;
    const stored = readPosition(writePosition(row.position));
    if (stored === undefined) throw new Error(`unreadable position of ${shard.shardId}`);
    const { source } = this.#options;
    const { position, leaveOutBeforeMs } = openingOf(stored, { source, isFirstOwner: row.epoch === 1, nowMs: this.nowMs });
    if (position.kind === 'LATEST') this.#latestOpenedAt.set(shard.shardId, this.nowMs);
    const found = shard.records.findIndex(({ number, atMs }) => {
      if (position.kind === 'AFTER_SEQUENCE_NUMBER') return number > Number(position.sequenceNumber);
      return position.kind === 'AT_TIMESTAMP' ? atMs >= position.timestampMs : position.kind === 'TRIM_HORIZON';
    });
    const next = found === -1 ? shard.records.length : found;
    const reader = { next, leaveOutBeforeMs: leaveOutBeforeMs ?? -Infinity, endedAtMs: undefined };
    this.#readers.set(shard.shardId, reader);
    return reader;
  }

  #end(shard: SketchShard, row: Row, reader: Reader, crashes: boolean): void {
    reader.endedAtMs ??= this.nowMs;
    const decision = this.#options.rules.decideShardEnd({
      shardId: shard.shardId,
      childShards: this.#options.source === 'kinesis' ? this.stream.childrenOf(shard.shardId) : undefined,
      registered: new Map([...(this.register ?? [])].map(([id, { parentShardIds }]) => [id, parentShardIds])),
      waitedMs: this.nowMs - reader.endedAtMs,
    });
    if (decision.kind === 'discover') return;
    const writes = [
      ...decision.adopt.map((child) => () => this.#createRow(child.shardId, { position: { kind: 'TRIM_HORIZON' }, isEnded: false })),
      () => this.#writeRegister(decision.adopt),
      () => (row.isEnded = true),
    ];
    this.#perform(writes, crashes);
    this.#readers.delete(shard.shardId);
  }

  /** A crash leaves out all writes from a random one on, and takes every reader with it. */
  #perform(writes: readonly (() => unknown)[], crashes: boolean): void {
    const count = crashes ? Math.floor(this.#options.random() * writes.length) : writes.length;
    for (const write of writes.slice(0, count)) write();
    if (crashes) this.#readers.clear();
  }

  #createRow(shardId: string, { position, isEnded }: Pick<Row, 'position' | 'isEnded'>): void {
    if (!this.rows.has(shardId)) this.rows.set(shardId, { position, isEnded, epoch: 0 });
  }

  #writeRegister(shards: LineagePlan['register']): void {
    this.register ??= new Map();
    const { start } = this.#options;
    // What arrived in the very millisecond of the look may have come before it.
    this.#wantedSinceMs ??= start.kind === 'LATEST' ? this.nowMs + 1 : start.kind === 'AT_TIMESTAMP' ? start.timestampMs : -Infinity;
    for (const { shardId, parentShardIds } of shards) {
      if (!this.register.has(shardId)) this.register.set(shardId, { parentShardIds, missingSinceMs: undefined, isRetired: false });
    }
  }

  #mark(shardId: string, change: Partial<Registered>): void {
    const entry = this.register?.get(shardId);
    if (entry !== undefined) Object.assign(entry, change);
  }

  #known(listedIds: readonly string[]): KnownShard[] {
    const known: KnownShard[] = [...(this.register ?? [])].map(([shardId, { parentShardIds, missingSinceMs, isRetired }]) => ({
      shardId,
      parentShardIds,
      isRegistered: true,
      isRetired,
      row: this.rows.get(shardId),
      ...(missingSinceMs === undefined ? {} : { missingSinceMs }),
    }));
    for (const shardId of listedIds) {
      const row = this.rows.get(shardId);
      if (row !== undefined && this.register?.has(shardId) !== true) known.push({ shardId, parentShardIds: [], isRegistered: false, row });
    }
    return known;
  }

  #lose(): void {
    const ids = [...this.rows.keys()];
    const id = ids[Math.floor(this.#options.random() * ids.length)];
    if (id === undefined) return;
    this.#readers.clear();
    if (this.#options.random() > 0.1) this.rows.delete(id);
    else {
      this.rows.clear();
      this.register = undefined;
    }
  }

  #deliver(shard: SketchShard, number: number): void {
    const times = this.deliveries.get(number) ?? 0;
    this.deliveries.set(number, times + 1);
    const late = times > 0 ? [] : shard.parentShardIds.filter((id) => !this.#isDrained(id));
    if (late.length > 0) this.outOfOrder.push(`${number} of ${shard.shardId} before all of ${late.join(', ')}`);
  }

  #isDrained(shardId: string): boolean {
    const shard = this.stream.shards.get(shardId);
    if (this.#drained.has(shardId) || shard === undefined || shard.trimmedAtMs <= this.nowMs) return true;
    if (shard.closedAtMs > this.nowMs || this.#missingOf(shard).length > 0) return false;
    this.#drained.add(shardId);
    return true;
  }

  #missingOf(shard: SketchShard): number[] {
    if (this.#drained.has(shard.shardId) || shard.trimmedAtMs <= this.nowMs) return [];
    // What came before a DynamoDB shard was opened at LATEST itself is not promised.
    const sinceMs = Math.max(this.#wantedSinceMs ?? -Infinity, (this.#latestOpenedAt.get(shard.shardId) ?? -Infinity) + 1);
    return shard.records.filter(({ number, atMs }) => atMs >= sinceMs && !this.deliveries.has(number)).map(({ number }) => number);
  }

  #isSettled({ shardId, closedAtMs, trimmedAtMs }: SketchShard): boolean {
    if (closedAtMs === Infinity || trimmedAtMs <= this.nowMs) return true;
    return this.rows.get(shardId)?.isEnded === true;
  }
}
