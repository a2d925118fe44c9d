import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@wherry/core/clock';
import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import { createDynamoDbClients } from '@wherry/sources/dynamodb/clients';
import { createDynamoDbSource } from '@wherry/sources/dynamodb/dynamodb-source';
import { createKinesisClients } from '@wherry/sources/kinesis/clients';
import { createFanOutSource } from '@wherry/sources/kinesis/fan-out-source';
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

const patientClock: Clock = {
  ...realClock,
  sleep: (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

/** An enhanced fan-out source that makes each call once and registers a consumer of its own. */
export function openFanOutSource(eventSourceArn: string, endpoint: string, clock: Clock = patientClock): StreamSource {
  const aws = { region: 'us-east-1', endpoint, maxAttempts: 1 };
  const consumer = { kind: 'enhanced-fan-out', register: true } as const;
  const mapping = { name: 'clicks', uuid: '0a1b2c3d-0000-5000-8000-000000000000', eventSourceArn, aws, consumer };
  return createFanOutSource(mapping, { clients: createKinesisClients(credentials()), surroundings: { clock } });
}

/** A DynamoDB source that makes each call once. */
export function openDynamoDbSource(eventSourceArn: string, { endpoint }: OpenSourceOptions): StreamSource {
  const mapping = { eventSourceArn, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } };
  return createDynamoDbSource(mapping, { clients: createDynamoDbClients(credentials()), surroundings: { clock: realClock } });
}
