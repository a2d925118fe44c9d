import type { Clock } from '@wherry/core/clock';
import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { ShardPosition, ShardReader, StreamShard, StreamSource } from '@wherry/core/stream-source';
import { toStreamError } from './errors.ts';
import { IteratorReader } from './iterator-reader.ts';
import type { StreamCalls } from './stream-calls.ts';

/** What a source of either service is made of. */
export interface IteratorSourceOptions {
  /** Makes the calls of the stream; asked once, at the first use. */
  readonly open: () => Promise<StreamCalls>;
  /** Name of the call that lists shards, for messages. */
  readonly listOperation: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Gives back what `open` uses. */
  readonly release: () => void;
}

/** A stream behind the port of stream-shaped sources, read by iterators. Opens nothing until the first call. */
export class IteratorSource implements StreamSource {
  readonly #options: IteratorSourceOptions;
  #calls: Promise<StreamCalls> | undefined;

  constructor(options: IteratorSourceOptions) {
    this.#options = options;
  }

  async identity(signal: AbortSignal): Promise<StreamIdentity> {
    try {
      const calls = await this.#open();
      return await calls.identity(signal);
    } catch (error) {
      throw toStreamError(error, 'DescribeStreamSummary');
    }
  }

  async listShards(signal: AbortSignal): Promise<StreamShard[]> {
    try {
      const calls = await this.#open();
      const shards: StreamShard[] = [];
      let after: string | undefined;
      do {
        const list = await calls.listShards(after, signal);
        if (after !== undefined && list.continueAfter === after) throw new Error(`the list does not get past shard ${after}`);
        shards.push(...list.shards);
        after = list.continueAfter;
      } while (after !== undefined);
      return shards;
    } catch (error) {
      throw toStreamError(error, this.#options.listOperation);
    }
  }

  openReader(shardId: string, position: ShardPosition): ShardReader {
    return new IteratorReader({ shardId, position, calls: () => this.#open(), clock: this.#options.clock });
  }

  close(): void {
    this.#options.release();
  }

  #open(): Promise<StreamCalls> {
    this.#calls ??= this.#options.open();
    return this.#calls;
  }
}
