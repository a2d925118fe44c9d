import type { Clock } from '@wherry/core/clock';
import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { ShardReader, StreamShard, StreamSource } from '@wherry/core/stream-source';
import type { ReshardingStream } from './resharding-stream.ts';

/** A resharding stream behind the port of stream sources, as far as discovery asks it: it names itself and lists shards, and can fail. */
export class SketchSource implements StreamSource {
  identityNow: StreamIdentity;
  stream: ReshardingStream;
  /** Listings show the stream as it was so long ago. */
  delayMs = 0;
  /** Called before each answer; may throw or wait. */
  beforeAnswer: (call: 'identity' | 'listShards', signal: AbortSignal) => void | Promise<void> = () => {};
  listings = 0;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(stream: ReshardingStream, identity: StreamIdentity, clock: Pick<Clock, 'nowMs'>) {
    this.stream = stream;
    this.identityNow = identity;
    this.#clock = clock;
  }

  async identity(signal: AbortSignal): Promise<StreamIdentity> {
    await this.beforeAnswer('identity', signal);
    return this.identityNow;
  }

  async listShards(signal: AbortSignal): Promise<StreamShard[]> {
    await this.beforeAnswer('listShards', signal);
    this.listings += 1;
    return this.stream.list(this.#clock.nowMs() - this.delayMs);
  }

  openReader(shardId: string): ShardReader {
    throw new Error(`nobody reads ${shardId} of a sketch`);
  }

  close(): void {}
}
