import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import { createDynamoDbClients } from '@wherry/sources/dynamodb/clients';
import { createDynamoDbSource } from '@wherry/sources/dynamodb/dynamodb-source';
import { createKinesisClients } from '@wherry/sources/kinesis/clients';
import { createKinesisSource } from '@wherry/sources/kinesis/kinesis-source';
import type { StreamSource } from '@wherry/core/stream-source';
import { realClock, useTestCredentials } from './sqs-backend.ts';

/** How a test opens a source. */
export interface OpenSourceOptions {
  readonly endpoint: string;
  /** Kinesis only: shards in one answer of ListShards. */
  readonly shardsPerCall?: number;
}

function credentials(): CredentialsByRole {
  useTestCredentials();
  return new CredentialsByRole({ clock: realClock, random: Math.random });
}

/** A Kinesis source that makes each call once. */
export function openKinesisSource(eventSourceArn: string, { endpoint, ...options }: OpenSourceOptions): StreamSource {
  const mapping = { eventSourceArn, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } };
  const clients = createKinesisClients(credentials());
  return createKinesisSource(mapping, { clients, surroundings: { clock: realClock }, ...options });
}

/** A DynamoDB source that makes each call once. */
export function openDynamoDbSource(eventSourceArn: string, { endpoint }: OpenSourceOptions): StreamSource {
  const mapping = { eventSourceArn, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } };
  return createDynamoDbSource(mapping, { clients: createDynamoDbClients(credentials()), surroundings: { clock: realClock } });
}
