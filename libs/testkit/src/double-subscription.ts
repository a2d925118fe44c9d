import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { DoubleError } from './double-calls.ts';
import type { DoubleShard, DoubleStream } from './double-stream.ts';
import { errorFrame, eventFrame } from './event-frames.ts';

/** How subscriptions behave; the defaults are what AWS documents. */
export interface SubscriptionTimes {
  /** Events without records come this often, milliseconds. */
  readonly heartbeatMs: number;
  /** A subscription ends after this time, milliseconds. */
  readonly lifetimeMs: number;
  /** How long after a subscription no other may take its place, milliseconds. */
  readonly exclusiveMs: number;
  /** Most records of an event. */
  readonly recordsPerEvent: number;
}

/** `StartingPosition` of a SubscribeToShard. */
export interface DoublePosition {
  readonly Type: string;
  readonly SequenceNumber?: string;
  readonly Timestamp?: number;
}

/** A subscription that stands: sends what the shard has and gets, until it ends. */
export class DoubleSubscription {
  readonly shard: DoubleShard;
  readonly startingPosition: DoublePosition;
  readonly sinceMs = Date.now();
  readonly #stream: DoubleStream;
  readonly #http: ServerHttp2Stream;
  readonly #times: SubscriptionTimes;
  readonly #timers: NodeJS.Timeout[];
  #next: number;
  #isSilent = false;
  #isSending = false;

  constructor(stream: DoubleStream, shard: DoubleShard, position: DoublePosition, http: ServerHttp2Stream, times: SubscriptionTimes) {
    this.#stream = stream;
    this.shard = shard;
    this.startingPosition = position;
    this.#http = http;
    this.#times = times;
    this.#next = firstIndex(stream, shard, position);
    http.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' });
    http.write(eventFrame('event', 'initial-response', {}));
    this.#timers = [setInterval(() => void this.send(true), times.heartbeatMs), setTimeout(() => this.end(), times.lifetimeMs)];
    http.once('close', () => this.#timers.forEach(clearTimeout));
    void this.send();
  }

  /** Records that were handed to the connection. */
  get sent(): number {
    return this.#next;
  }

  get isOpen(): boolean {
    return !this.#http.closed && !this.#http.writableEnded;
  }

  /** Sends what has come, and where nothing has, only if asked for an event without records. Waits while nobody reads. */
  async send(isHeartbeat = false): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let isFirst = isHeartbeat; this.isOpen && !this.#isSilent; isFirst = false) {
      const records = this.shard.records.slice(this.#next, this.#next + this.#times.recordsPerEvent);
      this.#next += records.length;
      const isRead = this.#next === this.shard.records.length;
      const isEnd = isRead && this.shard.children.length > 0;
      if (records.length === 0 && !isEnd && !isFirst) break;
      const continuation = isRead ? this.#stream.nextSequenceNumber() : records.at(-1)!.SequenceNumber;
      const body = {
        Records: records,
        MillisBehindLatest: isRead ? 0 : 1_000,
        ...(isEnd ? { ChildShards: this.shard.children.map(toChild) } : { ContinuationSequenceNumber: continuation }),
      };
      if (!this.#http.write(eventFrame('event', 'SubscribeToShardEvent', body)) && this.isOpen) {
        await this.#drained();
      }
      if (isEnd) this.end();
      if (isRead) break;
    }
    this.#isSending = false;
  }

  async #drained(): Promise<void> {
    const stop = new AbortController();
    const { signal } = stop;
    await Promise.race(['drain', 'close'].map((event) => once(this.#http, event, { signal }).catch(() => {})));
    stop.abort();
  }

  /** The service ends it with an exception of its model. */
  fail(code: string, message: string): void {
    if (!this.isOpen) return;
    this.#http.write(eventFrame('exception', code, { message }));
    this.end();
  }

  /** The service ends it with an error that is in no model. */
  failUnmodelled(code: string, message: string): void {
    this.#http.write(errorFrame(code, message));
    this.end();
  }

  /** Nothing comes any more, and the connection stays. */
  silence(): void {
    this.#isSilent = true;
  }

  /** The connection is cut in the middle of an event that holds the next records. */
  cut(): void {
    const frame = eventFrame('event', 'SubscribeToShardEvent', { Records: this.shard.records.slice(this.#next), MillisBehindLatest: 0 });
    this.#http.write(frame.subarray(0, frame.length - 9), () => this.#http.session?.destroy());
  }

  /** Ends it as after five minutes. */
  end(): void {
    if (this.isOpen) this.#http.end();
  }
}

function firstIndex(
  stream: DoubleStream,
  { id, records }: DoubleShard,
  { Type, SequenceNumber = '', Timestamp = 0 }: DoublePosition,
): number {
  const isNumbered = Type === 'AT_SEQUENCE_NUMBER' || Type === 'AFTER_SEQUENCE_NUMBER';
  if (isNumbered && !stream.isOwn(SequenceNumber)) {
    const text = `StartingSequenceNumber ${SequenceNumber} used in SubscribeToShard on shard ${id} in stream ${stream.name} is invalid because it did not come from this stream.`;
    throw new DoubleError('InvalidArgumentException', text);
  }
  const index = records.findIndex((record) => {
    if (Type === 'TRIM_HORIZON') return true;
    if (Type === 'AT_TIMESTAMP') return record.ApproximateArrivalTimestamp >= Timestamp;
    if (Type === 'AT_SEQUENCE_NUMBER') return record.SequenceNumber >= SequenceNumber;
    return Type === 'AFTER_SEQUENCE_NUMBER' && record.SequenceNumber > SequenceNumber;
  });
  return index === -1 ? records.length : index;
}

function toChild({ id, parentIds, start, end }: DoubleShard): object {
  return { ShardId: id, ParentShards: parentIds, HashKeyRange: { StartingHashKey: String(start), EndingHashKey: String(end) } };
}
