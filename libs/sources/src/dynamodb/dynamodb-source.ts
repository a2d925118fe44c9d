import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings } from '@wherry/core/mapping';
import type { StreamSource } from '@wherry/core/stream-source';
import { IteratorSource } from '../streams/iterator-source.ts';
import type { DynamoDbClients } from './clients.ts';
import { createRecordWriter } from './record.ts';

/** What the source needs of a mapping. */
export interface DynamoDbStreamSettings {
  /** ARN of the stream: `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`. */
  readonly eventSourceArn: string;
  readonly aws: AwsSettings;
}

/** What a source is given from outside; `clients` is the same for all sources of a process. */
export interface DynamoDbSourceOptions {
  readonly surroundings: Pick<Surroundings, 'clock'>;
  readonly clients: DynamoDbClients;
}

/**
 * The DynamoDB stream of one mapping. `close` gives the shared client back. A table whose stream was switched off and on again, or
 * that was deleted and made again, has another stream under another ARN; the old one can be read for 24 hours.
 */
export function createDynamoDbSource(mapping: DynamoDbStreamSettings, options: DynamoDbSourceOptions): StreamSource {
  const { eventSourceArn } = mapping;
  const share = options.clients.acquire({ ...mapping.aws, region: parseRegion(eventSourceArn) });
  return new IteratorSource({
    listOperation: 'DescribeStream',
    clock: options.surroundings.clock,
    open: async () => {
      const [client, { createDynamoDbCalls }] = await Promise.all([share.connection.get(), import('./dynamodb-calls.ts')]);
      return createDynamoDbCalls(client, eventSourceArn, createRecordWriter(eventSourceArn));
    },
    release: () => share.release(),
  });
}

/** The region of a stream's ARN, which may be an emulator's own. Throws on anything else; the configuration has refused it long before. */
export function parseRegion(arn: string): string {
  const region = /^arn:[^:]+:dynamodb:([^:]+):[^:]*:table\/[^/:]+\/stream\/./.exec(arn)?.[1];
  if (region === undefined) {
    throw new TypeError(`not the ARN of a DynamoDB stream: ${arn}; expected arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`);
  }
  return region;
}
