import type { FaultCode } from '@wherry/core/source-error';
import type { ShardPosition } from '@wherry/core/stream-source';
import { describe, expect, test } from 'vitest';
import { isIteratorLost, toPositionError, toStreamError } from './errors.ts';

function named(name: string, message = 'said the service'): Error {
  return Object.assign(new Error(message), { name });
}

const after: ShardPosition = { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '7' };

test.each<[FaultCode, string]>([
  ['notFound', 'ResourceNotFoundException'],
  ['notFound', 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException'],
  ['throttled', 'ProvisionedThroughputExceededException'],
  ['throttled', 'LimitExceededException'],
  ['throttled', 'KMSThrottlingException'],
  ['throttled', 'ThrottlingException'],
  ['accessDenied', 'AccessDeniedException'],
  ['accessDenied', 'KMSAccessDeniedException'],
  ['accessDenied', 'UnrecognizedClientException'],
  ['expired', 'TrimmedDataAccessException'],
  ['unavailable', 'ExpiredIteratorException'],
  ['unavailable', 'InternalServerError'],
  ['unavailable', 'InternalFailureException'],
  ['unavailable', 'KMSDisabledException'],
  ['unavailable', 'AbortError'],
  ['invalid', 'InvalidArgumentException'],
  ['invalid', 'ValidationException'],
  ['unknown', 'SomethingNew'],
])('%s: %s', (code, name) => {
  expect(toStreamError(named(name), 'GetRecords')).toMatchObject({ code, message: 'GetRecords failed: said the service' });
});

describe('a position that the stream does not know', () => {
  test.each([
    [
      'InvalidArgumentException',
      'StartingSequenceNumber 7 used in GetShardIterator … is invalid because it did not come from this stream.',
    ],
    ['ResourceNotFoundException', 'Unable to find record with provided SequenceNumber SequenceNumber(7) in stream None'],
    ['ValidationException', 'The parameter SequenceNumber is invalid'],
  ])('has lost its data: %s, %s', (name, message) => {
    expect(toPositionError(named(name, message), after)).toMatchObject({ code: 'expired', serviceCode: name });
  });

  test.each<[FaultCode, string, string, ShardPosition]>([
    ['notFound', 'ResourceNotFoundException', 'Shard s in stream clicks under account 0 does not exist', after],
    ['invalid', 'InvalidArgumentException', 'no such SequenceNumber', { kind: 'LATEST' }],
    ['throttled', 'LimitExceededException', 'SequenceNumber asked for too often', after],
  ])('is none of %s: %s, %s', (code, name, message, position) => {
    expect(toPositionError(named(name, message), position).code).toBe(code);
  });
});

test.each([
  ['ExpiredIteratorException', true],
  ['TrimmedDataAccessException', true],
  ['ResourceNotFoundException', true],
  ['InvalidArgumentException', true],
  ['ProvisionedThroughputExceededException', false],
  ['AccessDeniedException', false],
  ['TimeoutError', false],
])('after %s another iterator may do better: %s', (name, isLost) => {
  expect(isIteratorLost(toStreamError(named(name), 'GetRecords'))).toBe(isLost);
});
