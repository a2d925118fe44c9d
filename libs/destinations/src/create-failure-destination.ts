import type { Clock } from '@wherry/core/clock';
import type { FailedStore } from '@wherry/core/failed-store';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { OnFailure } from '@wherry/core/mapping';
import type { DestinationClients } from './destination-clients.ts';
import { type FailedMapping, FailedStoreDestination } from './failed-store-destination.ts';
import { S3Destination } from './s3-destination.ts';
import { SnsDestination } from './sns-destination.ts';
import { SqsDestination } from './sqs-destination.ts';

/** What destinations are given from outside; all but `mapping` is the same for all destinations of a process. */
export interface FailureDestinationOptions {
  /** Whose records are given up. */
  readonly mapping: FailedMapping;
  readonly clients: DestinationClients;
  /** The fleet's own store, for `wherry://failed/<name>`. */
  readonly failedStore: FailedStore;
  /** Its monotonic time bounds every delivery. */
  readonly clock: Clock;
}

/** Where a mapping's failure records go. Opens nothing until the first delivery; `close` gives shared connections back. */
export function createFailureDestination(onFailure: OnFailure, options: FailureDestinationOptions): FailureDestination {
  const { mapping, clients, failedStore, clock } = options;
  switch (onFailure.kind) {
    case 'sqs':
      return new SqsDestination(onFailure.arn, onFailure.aws, { clients, clock });
    case 'sns':
      return new SnsDestination(onFailure.arn, onFailure.aws, { clients, clock });
    case 's3':
      return new S3Destination(onFailure.arn, onFailure.aws, { mappingUuid: mapping.uuid, clients, clock });
    case 'failed':
      return new FailedStoreDestination(onFailure.name, { mapping, store: failedStore, clock });
  }
}
