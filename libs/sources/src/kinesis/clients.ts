import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { CredentialsByRole } from '../aws/credentials.ts';
import { StreamClients } from '../streams/stream-clients.ts';

/** The Kinesis clients of one process. */
export type KinesisClients = StreamClients<KinesisClient>;

/** Makes the Kinesis clients of one process; no code of the SDK for Kinesis is loaded before one of them is used. */
export function createKinesisClients(credentials: CredentialsByRole): KinesisClients {
  return new StreamClients(credentials, async (aws, provider) => {
    const { openKinesisClient } = await import('./kinesis-calls.ts');
    return openKinesisClient(aws, provider);
  });
}
