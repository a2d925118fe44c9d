import type { Clock } from '@wherry/core/clock';
import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { ShardPage, ShardPosition, ShardReader, StreamRecord, StreamShard, StreamSource } from '@wherry/core/stream-source';

/** A shard of a scripted stream. */
export interface ScriptedShard {
  readonly records: StreamRecord[];
  /** Closed, and its children as the last page names them. */
  end: { readonly childShards?: readonly StreamShard[] } | undefined;
  /** What the next reads throw, in order. */
  readonly faults: Error[];
  /** Records below this place are trimmed. */
  trimmedBelow: number;
  /** Positions at which it was opened. */
  readonly opened: ShardPosition[];
  /** What reads asked for, and when. */
  readonly reads: { readonly maxRecords: number; readonly atMs: number }[];
}

/** A stream of which a test says what stands in it and what it answers. */
export class ScriptedStream implements StreamSource {
  readonly shards = new Map<string, ScriptedShard>();
  readonly listed: StreamShard[] = [];
  readonly stream: StreamIdentity;
  /** Whether pages say how far they are behind, as those of Kinesis do. */
  saysBehind = true;
  isClosed = false;
  readonly #clock: Clock;

  constructor(clock: Clock, stream: StreamIdentity) {
    this.#clock = clock;
    this.stream = stream;
  }

  shard(shardId: string): ScriptedShard {
    const shard = this.shards.get(shardId) ?? { records: [], end: undefined, faults: [], trimmedBelow: 0, opened: [], reads: [] };
    this.shards.set(shardId, shard);
    return shard;
  }

  identity(): Promise<StreamIdentity> {
    return Promise.resolve(this.stream);
  }

  listShards(): Promise<StreamShard[]> {
    return Promise.resolve([...this.listed]);
  }

  openReader(shardId: string, position: ShardPosition): ShardReader {
    const shard = this.shard(shardId);
    shard.opened.push(position);
    let next = placeOf(shard, position);
    return {
      read: (maxRecords) => {
        shard.reads.push({ maxRecords, atMs: this.#clock.monotonicMs() });
        const fault = shard.faults.shift();
        if (fault !== undefined) return Promise.reject(fault);
        next = Math.max(next, shard.trimmedBelow);
        const records = shard.records.slice(next, next + maxRecords);
        next += records.length;
        return Promise.resolve(this.#page(shard, records, next));
      },
    };
  }

  close(): void {
    this.isClosed = true;
  }

  #page(shard: ScriptedShard, records: readonly StreamRecord[], next: number): ShardPage {
    const waiting = shard.records[next];
    const behindMs = waiting === undefined ? 0 : Math.max(1, this.#clock.nowMs() - waiting.arrivedAtMs);
    const behind = this.saysBehind ? { behindMs } : {};
    const isEnd = shard.end !== undefined && waiting === undefined;
    return { records, isEnd, ...behind, ...(isEnd ? shard.end : {}) };
  }
}

function placeOf({ records }: ScriptedShard, position: ShardPosition): number {
  const first = records.findIndex((record) => {
    switch (position.kind) {
      case 'TRIM_HORIZON':
        return true;
      case 'LATEST':
        return false;
      case 'AT_TIMESTAMP':
        return record.arrivedAtMs >= position.timestampMs;
      case 'AT_SEQUENCE_NUMBER':
        return compareSequenceNumbers(record.sequenceNumber, position.sequenceNumber) >= 0;
      case 'AFTER_SEQUENCE_NUMBER':
        return compareSequenceNumbers(record.sequenceNumber, position.sequenceNumber) > 0;
    }
  });
  return first === -1 ? records.length : first;
}
