import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { CredentialsByRole } from '../aws/credentials.ts';
import { StreamClients } from '../streams/stream-clients.ts';

/** The clients for DynamoDB Streams of one process. */
export type DynamoDbClients = StreamClients<DynamoDBStreamsClient>;

/** Makes the DynamoDB clients of one process; no code of the SDK for them is loaded before one of them is used. */
export function createDynamoDbClients(credentials: CredentialsByRole): DynamoDbClients {
  return new StreamClients(credentials, async (aws, provider) => {
    const { openDynamoDbClient } = await import('./dynamodb-calls.ts');
    return openDynamoDbClient(aws, provider);
  });
}
