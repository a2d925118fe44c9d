import type { Surroundings } from '@wherry/core/clock';
import type { StreamMapping } from '@wherry/core/mapping';
import type { ShardPosition, ShardReader, StreamRecord, StreamShard, StreamSource } from '@wherry/core/stream-source';
import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { KinesisClients } from './clients.ts';
import { consumerName, givenConsumer, RegisteredConsumer, type Consumer } from './consumer.ts';
import { FanOutReader } from './fan-out-reader.ts';
import { createKinesisSource, invokeIdentityArn, parseStreamArn, type KinesisStreamSettings } from './kinesis-source.ts';
import { createRecordWriter, type KinesisRecordWriter } from './record.ts';
import type { SubscriptionCalls } from './subscription.ts';
import { unpackRecords, type HashRange, type PushedRecord } from './unpack-records.ts';

/** What the source needs of a mapping. */
export type FanOutSettings = KinesisStreamSettings & Pick<StreamMapping, 'name' | 'uuid' | 'consumer'>;

/** What a source is given from outside; `clients` is the same for all sources of a process. */
export interface FanOutSourceOptions {
  readonly surroundings: Pick<Surroundings, 'clock'>;
  readonly clients: KinesisClients;
}

/**
 * The Kinesis stream of one mapping, read by enhanced fan-out: with the consumer that its ARN names, or with one that is registered for
 * it. Reads of one shard take each other's subscription, so only the owner of its lease may read it. `close` ends all subscriptions and
 * gives the shared client back.
 */
export function createFanOutSource(mapping: FanOutSettings, options: FanOutSourceOptions): StreamSource {
  return new FanOutSource(mapping, options);
}

class FanOutSource implements StreamSource {
  readonly #mapping: FanOutSettings;
  readonly #options: FanOutSourceOptions;
  readonly #polled: StreamSource;
  readonly #release: () => void;
  readonly #openCalls: () => Promise<SubscriptionCalls>;
  readonly #consumer: Consumer;
  readonly #stop = new AbortController();
  readonly #readers = new Set<FanOutReader>();
  /** Hash keys by shard, as far as they were asked for; without a range for a shard that is not listed. */
  #ranges: ReadonlyMap<string, HashRange | undefined> = new Map();
  #listing: Promise<void> | undefined;
  #calls: Promise<SubscriptionCalls> | undefined;
  #writer: { readonly consumerArn: string; readonly writeRecord: KinesisRecordWriter } | undefined;

  constructor(mapping: FanOutSettings, options: FanOutSourceOptions) {
    this.#mapping = mapping;
    this.#options = options;
    this.#polled = createKinesisSource(mapping, options);
    const { streamArn, region } = parseStreamArn(mapping.eventSourceArn);
    const share = options.clients.acquire({ ...mapping.aws, region });
    this.#release = () => share.release();
    this.#openCalls = async () => {
      const [client, { createSubscriptionCalls }] = await Promise.all([share.connection.get(), import('./subscription-calls.ts')]);
      return createSubscriptionCalls(client, streamArn);
    };
    const isConsumer = mapping.eventSourceArn !== streamArn;
    this.#consumer = isConsumer
      ? givenConsumer(mapping.eventSourceArn)
      : new RegisteredConsumer(() => this.#subscriptionCalls(), consumerName(mapping), options.surroundings.clock);
  }

  get eventSourceArn(): string | undefined {
    return this.#writer?.consumerArn;
  }

  identity(signal: AbortSignal): Promise<StreamIdentity> {
    return this.#polled.identity(signal);
  }

  listShards(signal: AbortSignal): Promise<StreamShard[]> {
    return this.#polled.listShards(signal);
  }

  openReader(shardId: string, position: ShardPosition): ShardReader {
    const reader = new FanOutReader({
      shardId,
      position,
      consumer: this.#consumer,
      calls: () => this.#subscriptionCalls(),
      unpack: (records, consumerArn) => this.#unpack(shardId, records, consumerArn),
      clock: this.#options.surroundings.clock,
    });
    this.#readers.add(reader);
    return {
      read: (maxRecords, signal) => reader.read(maxRecords, signal),
      wait: (signal) => reader.wait(signal),
      close: () => {
        this.#readers.delete(reader);
        reader.close();
      },
    };
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
    this.#stop.abort();
    this.#consumer.close();
    this.#polled.close();
    this.#release();
  }

  #subscriptionCalls(): Promise<SubscriptionCalls> {
    this.#calls ??= this.#openCalls();
    return this.#calls;
  }

  #unpack(shardId: string, records: readonly PushedRecord[], consumerArn: string): Promise<readonly StreamRecord[]> {
    return unpackRecords(records, {
      shardId,
      writeRecord: this.#writeRecord(consumerArn),
      hashRange: () => this.#hashRange(shardId),
    });
  }

  #writeRecord(consumerArn: string): KinesisRecordWriter {
    if (this.#writer?.consumerArn !== consumerArn) {
      const writeRecord = createRecordWriter({ eventSourceArn: consumerArn, invokeIdentityArn: invokeIdentityArn(this.#mapping) });
      this.#writer = { consumerArn, writeRecord };
    }
    return this.#writer.writeRecord;
  }

  async #hashRange(shardId: string): Promise<HashRange | undefined> {
    if (!this.#ranges.has(shardId)) {
      this.#listing ??= this.#listRanges().finally(() => (this.#listing = undefined));
      await this.#listing;
      // What is not listed is not asked for with every aggregate.
      if (!this.#ranges.has(shardId)) this.#ranges = new Map([...this.#ranges, [shardId, undefined]]);
    }
    return this.#ranges.get(shardId);
  }

  async #listRanges(): Promise<void> {
    const calls = await this.#subscriptionCalls();
    this.#ranges = await calls.hashRanges(this.#stop.signal);
  }
}
