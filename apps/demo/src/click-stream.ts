import {
  CreateStreamCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
  SplitShardCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { credentials } from './emulators.ts';
import { tens, type Entry, type Lane } from './lane.ts';
import { Ledger } from './ledger.ts';
import type { Queues } from './queues.ts';

const streamName = 'clicks';
const shardCount = 2;
const clickCount = 1_500;
/** A multiple of ten, so that one call never carries two clicks of the same user: in one call order is not promised. */
const userCount = 30;
const poisonEvery = 600;

interface Click {
  readonly id: string;
  readonly user: string;
  readonly poison?: boolean;
}

/** What of the failure document in the queue names the records. @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html */
interface FailureDocument {
  readonly KinesisBatchInfo: { readonly shardId: string; readonly startSequenceNumber: string; readonly endSequenceNumber: string };
}

/** The Kinesis stream: clicks of many users, each user's in order, through a split of a shard; a few are poison. */
export class ClickStream {
  #client: KinesisClient;
  #queues: Queues;
  #failuresUrl: string;
  /** Where Kinesis put each click. */
  #places: { readonly id: string; readonly shardId: string; readonly number: bigint }[] = [];
  /** Shards of which the function has finished records. */
  #seenShards = new Set<string>();

  private constructor(client: KinesisClient, queues: Queues, failuresUrl: string) {
    this.#client = client;
    this.#queues = queues;
    this.#failuresUrl = failuresUrl;
  }

  /** Makes the stream, and the queue that is its failure destination. */
  static async create(endpoint: string, queues: Queues): Promise<ClickStream> {
    // Its own handler speaks HTTP/2, which the emulator does not without TLS.
    const client = new KinesisClient({ endpoint, region: 'us-east-1', credentials, requestHandler: new NodeHttpHandler() });
    const failuresUrl = await queues.createPlain('clicks-failed');
    await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount }));
    await waitUntilStreamExists({ client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { StreamName: streamName });
    return new ClickStream(client, queues, failuresUrl);
  }

  lane(): Lane {
    return {
      name: 'clicks-stream',
      kind: 'kinesis',
      path: '/clicks',
      ledger: new Ledger(streamName),
      shipments: tens(makeClicks()).map((clicks) => ({
        entries: clicks.map(({ id, user }): Entry => ({ id, group: user, isWanted: true })),
        send: () => this.#put(clicks),
      })),
      givenUp: async () => (await this.#queues.read(this.#failuresUrl)).flatMap((body) => this.#idsOf(JSON.parse(body) as FailureDocument)),
      remaining: async () => 0,
      note: ({ deadLettered }) =>
        `${userCount} keys, in order · ${deadLettered} poison bisected → failure queue · ${this.#seenShards.size} shards read`,
    };
  }

  /** The function has finished records of this shard. */
  seen(shardId: string): void {
    this.#seenShards.add(shardId);
  }

  /** Splits the first shard in the middle. @returns the ids of the parent and of its children, once they take records */
  async split(): Promise<{ readonly parent: string; readonly children: readonly string[] }> {
    const [parent] = await this.#shards();
    if (parent === undefined) throw new Error(`${streamName} has no shards`);
    const { StartingHashKey: start = '', EndingHashKey: end = '' } = parent.HashKeyRange ?? {};
    const middle = String((BigInt(start) + BigInt(end)) / 2n);
    await this.#client.send(new SplitShardCommand({ StreamName: streamName, ShardToSplit: parent.ShardId, NewStartingHashKey: middle }));
    const parentId = parent.ShardId ?? '';
    for (;;) {
      const children = (await this.#shards()).filter((shard) => shard.ParentShardId === parentId).map((shard) => shard.ShardId ?? '');
      if (children.length === 2) return { parent: parentId, children };
    }
  }

  /** True once the function has finished records of each of the shards. */
  hasSeen(shardIds: readonly string[]): boolean {
    return shardIds.every((shardId) => this.#seenShards.has(shardId));
  }

  close(): void {
    this.#client.destroy();
  }

  async #shards() {
    return (await this.#client.send(new ListShardsCommand({ StreamName: streamName }))).Shards ?? [];
  }

  /** Writes clicks of different users; those that the service refuses, as it may while a shard splits, are written again. */
  async #put(clicks: readonly Click[]): Promise<void> {
    for (let left = clicks; left.length > 0;) {
      const entries = left.map((click): PutRecordsRequestEntry => ({ PartitionKey: click.user, Data: Buffer.from(JSON.stringify(click)) }));
      const { Records: results = [] } = await this.#client.send(new PutRecordsCommand({ StreamName: streamName, Records: entries }));
      left = left.filter((click, index) => {
        const { ShardId: shardId, SequenceNumber: number } = results[index] ?? {};
        if (shardId === undefined || number === undefined) return true;
        this.#places.push({ id: click.id, shardId, number: BigInt(number) });
        return false;
      });
    }
  }

  #idsOf({ KinesisBatchInfo: { shardId, startSequenceNumber, endSequenceNumber } }: FailureDocument): string[] {
    const [start, end] = [BigInt(startSequenceNumber), BigInt(endSequenceNumber)];
    return this.#places.filter((place) => place.shardId === shardId && place.number >= start && place.number <= end).map(({ id }) => id);
  }
}

function makeClicks(): Click[] {
  return Array.from({ length: clickCount }, (_, index) => ({
    id: `click-${index + 1}`,
    user: `user-${(index % userCount) + 1}`,
    ...((index + 1) % poisonEvery === 100 ? { poison: true } : {}),
  }));
}
