import { DescribeStreamCommand } from '@aws-sdk/client-dynamodb-streams';
import type { AwsSettings } from '@wherry/core/mapping';
import { toStreamError } from '../streams/errors.ts';
import type { DynamoDbClients } from './clients.ts';
import { parseRegion } from './dynamodb-source.ts';

/** What DynamoDB says about the stream of a table. */
export interface TableStreamDescription {
  /** `ENABLING`, `ENABLED`, `DISABLING` or `DISABLED`; empty where an emulator says nothing. */
  readonly status: string;
  /** What its records show of an item: `KEYS_ONLY`, `NEW_IMAGE`, `OLD_IMAGE` or `NEW_AND_OLD_IMAGES`. */
  readonly viewType: string | undefined;
}

/** Looks at the stream of a table without reading it. Throws `SourceError`. */
export async function describeTableStream(
  place: { readonly eventSourceArn: string; readonly aws: AwsSettings },
  clients: DynamoDbClients,
  signal: AbortSignal,
): Promise<TableStreamDescription> {
  const share = clients.acquire({ ...place.aws, region: parseRegion(place.eventSourceArn) });
  try {
    const client = await share.connection.get();
    const command = new DescribeStreamCommand({ StreamArn: place.eventSourceArn, Limit: 1 });
    const { StreamDescription: stream } = await client.send(command, { abortSignal: signal });
    return { status: stream?.StreamStatus ?? '', viewType: stream?.StreamViewType };
  } catch (error) {
    throw toStreamError(error, 'DescribeStream');
  } finally {
    share.release();
  }
}
