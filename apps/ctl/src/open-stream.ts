import type { Surroundings } from '@wherry/core/clock';
import type { StreamMapping } from '@wherry/core/mapping';
import type { StreamSource } from '@wherry/core/stream-source';
import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import { createDynamoDbClients } from '@wherry/sources/dynamodb/clients';
import { createDynamoDbSource } from '@wherry/sources/dynamodb/dynamodb-source';
import { createKinesisClients } from '@wherry/sources/kinesis/clients';
import { createKinesisSource } from '@wherry/sources/kinesis/kinesis-source';

/** The stream of a mapping, to be listed and looked into; always by polling, which takes no consumer's place. The caller closes it. */
export function openStream(mapping: StreamMapping, surroundings: Surroundings): StreamSource {
  const credentials = new CredentialsByRole(surroundings);
  switch (mapping.source) {
    case 'kinesis':
      return createKinesisSource(mapping, { surroundings, clients: createKinesisClients(credentials) });
    case 'dynamodb':
      return createDynamoDbSource(mapping, { surroundings, clients: createDynamoDbClients(credentials) });
  }
}
