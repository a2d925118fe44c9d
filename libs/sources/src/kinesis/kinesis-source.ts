import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings } from '@wherry/core/mapping';
import type { StreamSource } from '@wherry/core/stream-source';
import { IteratorSource } from '../streams/iterator-source.ts';
import type { KinesisClients } from './clients.ts';
import { createRecordWriter } from './record.ts';

/** What the source needs of a mapping. */
export interface KinesisStreamSettings {
  /** ARN of the stream, or of one of its consumers; records carry it as it is. */
  readonly eventSourceArn: string;
  readonly aws: AwsSettings;
  /** The role that events name as theirs (on Lambda the function's execution role); a made-up one of the stream's account unless given. */
  readonly invokeIdentityArn?: string;
}

/** What a source is given from outside; `clients` is the same for all sources of a process. */
export interface KinesisSourceOptions {
  readonly surroundings: Pick<Surroundings, 'clock'>;
  readonly clients: KinesisClients;
  /** Shards in one answer of ListShards; the service's own number unless given. */
  readonly shardsPerCall?: number;
}

/** The Kinesis stream of one mapping, read by GetRecords. `close` gives the shared client back. */
export function createKinesisSource(mapping: KinesisStreamSettings, options: KinesisSourceOptions): StreamSource {
  const { region, streamArn } = parseStreamArn(mapping.eventSourceArn);
  const writeRecord = createRecordWriter({ eventSourceArn: mapping.eventSourceArn, invokeIdentityArn: invokeIdentityArn(mapping) });
  // A stream answers in its own region only, whatever region the rest of the configuration is about.
  const share = options.clients.acquire({ ...mapping.aws, region });
  const { shardsPerCall } = options;
  return new IteratorSource({
    listOperation: 'ListShards',
    clock: options.surroundings.clock,
    open: async () => {
      const [client, { createKinesisCalls }] = await Promise.all([share.connection.get(), import('./kinesis-calls.ts')]);
      return createKinesisCalls(client, { streamArn, writeRecord, ...(shardsPerCall === undefined ? {} : { shardsPerCall }) });
    },
    release: () => share.release(),
  });
}

/** Name of the role in events of a mapping that names none. Inferred: outside Lambda there is no execution role. */
const PLACEHOLDER_ROLE = 'wherry';

/** The role that events of a mapping name. */
export function invokeIdentityArn(mapping: KinesisStreamSettings): string {
  const { partition, accountId } = parseStreamArn(mapping.eventSourceArn);
  return mapping.invokeIdentityArn ?? `arn:${partition}:iam::${accountId}:role/${PLACEHOLDER_ROLE}`;
}

const STREAM_ARN = /^(arn:([^:]+):kinesis:([^:]*):([^:]*):stream\/[^/:]+)(?:$|\/consumer\/)/;

/** What the ARN of a stream or of one of its consumers says. */
export interface KinesisArn {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  /** The stream's own ARN, without the consumer. */
  readonly streamArn: string;
}

/**
 * Takes `arn:<partition>:kinesis:<region>:<account>:stream/<name>[/consumer/<name>:<time>]` apart. Throws on anything else; the
 * configuration has refused it long before.
 */
export function parseStreamArn(arn: string): KinesisArn {
  const [, streamArn, partition, region, accountId] = STREAM_ARN.exec(arn) ?? [];
  if (streamArn === undefined || partition === undefined || region === undefined || accountId === undefined) {
    throw new TypeError(`not the ARN of a Kinesis stream: ${arn}; expected arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`);
  }
  return { partition, region, accountId, streamArn };
}
