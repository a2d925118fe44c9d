import type { Surroundings } from '@wherry/core/clock';
import type { PermitStore } from '@wherry/core/coordination';
import type { FailedStore } from '@wherry/core/failed-store';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';
import type { StreamSource } from '@wherry/core/stream-source';
import { createFailureDestination } from '@wherry/destinations/create-failure-destination';
import { DestinationClients } from '@wherry/destinations/destination-clients';
import { createInvoker } from '@wherry/invoke/create-invoker';
import { clientSettings } from '@wherry/sources/aws/client-settings';
import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import { createDynamoDbClients } from '@wherry/sources/dynamodb/clients';
import { createDynamoDbSource } from '@wherry/sources/dynamodb/dynamodb-source';
import { createKinesisClients } from '@wherry/sources/kinesis/clients';
import { createFanOutSource } from '@wherry/sources/kinesis/fan-out-source';
import { createKinesisSource } from '@wherry/sources/kinesis/kinesis-source';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';

/** Which adapter serves which source, target and destination: the one list to extend. */
export interface Registry {
  readonly createSource: (mapping: SqsMapping) => QueueSource;
  readonly createStreamSource: (mapping: StreamMapping) => StreamSource;
  /** Undefined for a mapping that names no failure destination. */
  readonly createDestination: (mapping: StreamMapping) => FailureDestination | undefined;
  readonly createInvoker: (fn: FunctionDefinition) => Invoker;
}

export interface RegistryOptions {
  readonly surroundings: Surroundings;
  readonly network: WherryConfig['network'];
  readonly permits: PermitStore;
  /** The fleet's own store, for `wherry://failed/<name>`. */
  readonly failedStore: FailedStore;
}

/** The adapters of one process; clients and credentials are shared between mappings with the same settings. */
export function createRegistry(options: RegistryOptions): Registry {
  const { surroundings, failedStore } = options;
  const { clock } = surroundings;
  const credentials = new CredentialsByRole(surroundings);
  const sqs = new SqsClients(surroundings, credentials);
  const kinesis = createKinesisClients(credentials);
  const dynamoDb = createDynamoDbClients(credentials);
  const destinations = new DestinationClients((aws, traffic) => clientSettings(aws, credentials.provider(aws), traffic));
  return {
    createSource: (mapping) => createSqsSource(mapping, { surroundings, clients: sqs }),
    createStreamSource: (mapping) => {
      switch (mapping.source) {
        case 'kinesis': {
          const open = mapping.consumer.kind === 'polling' ? createKinesisSource : createFanOutSource;
          return open(kinesisSettings(mapping), { surroundings, clients: kinesis });
        }
        case 'dynamodb':
          return createDynamoDbSource(mapping, { surroundings, clients: dynamoDb });
      }
    },
    createDestination: (mapping) => {
      const { onFailure } = mapping;
      return onFailure && createFailureDestination(onFailure, { mapping, clients: destinations, failedStore, clock });
    },
    createInvoker: (fn) => createInvoker(fn, options),
  };
}

/** Events name the role that reads the stream, as they name the function's execution role on Lambda. */
function kinesisSettings(mapping: StreamMapping) {
  const role = mapping.aws.assumeRole?.roleArn;
  return role === undefined ? mapping : { ...mapping, invokeIdentityArn: role };
}
