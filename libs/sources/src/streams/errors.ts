import type { ShardPosition } from '@wherry/core/stream-source';
import { SourceError } from '@wherry/core/source-error';
import { createToSourceError, type ToSourceError } from '@wherry/core/aws-fault';

/**
 * The `SourceError` of a call to Kinesis Data Streams or DynamoDB Streams; where both have a name, it means the same.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html#API_GetRecords_Errors
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html#API_streams_GetRecords_Errors
 */
export const toStreamError: ToSourceError = createToSourceError({
  notFound: ['ResourceNotFoundException'],
  throttled: ['KMSThrottlingException', 'LimitExceededException'],
  accessDenied: ['KMSAccessDeniedException'],
  expired: ['TrimmedDataAccessException'],
  unavailable: [
    // Of interest to the reader alone, which gets a new iterator; whoever sees it may ask again.
    'ExpiredIteratorException',
    'InternalFailureException',
    'KMSDisabledException',
    'KMSInvalidStateException',
    'KMSNotFoundException',
    'KMSOptInRequired',
    'ResourceInUseException',
    'ServiceUnavailableException',
  ],
  invalid: ['InvalidArgumentException'],
});

/**
 * The error of a call that names a position in a shard. A sequence number that the stream does not know is a position whose data are gone: Kinesis
 * says so after a stream was deleted and made again under its old name (`InvalidArgumentException`, "… is invalid because it did
 * not come from this stream"), emulators also for what has been trimmed.
 */
export function toPositionError(thrown: unknown, position: ShardPosition, operation = 'GetShardIterator'): SourceError {
  const error = toStreamError(thrown, operation);
  const isRefused = error.code === 'invalid' || error.code === 'notFound';
  if (!('sequenceNumber' in position) || !isRefused || !/sequence ?number/i.test(error.message)) return error;
  return new SourceError('expired', error.serviceCode, error.message, { cause: thrown });
}

/** Whether the iterator that was used is of no further use, and a new one for the same position may do better. */
export function isIteratorLost(error: SourceError): boolean {
  return (
    error.serviceCode === 'ExpiredIteratorException' || error.code === 'expired' || error.code === 'notFound' || error.code === 'invalid'
  );
}
