import type { FaultCode } from '@wherry/core/source-error';
import { expect, test } from 'vitest';
import { toS3Error, toSnsError } from './errors.ts';

function named(name: string): Error {
  return Object.assign(new Error('said the service'), { name });
}

test.each<[FaultCode, string]>([
  ['notFound', 'NotFoundException'],
  ['throttled', 'KMSThrottlingException'],
  ['throttled', 'ThrottledException'],
  ['accessDenied', 'AuthorizationErrorException'],
  ['accessDenied', 'KMSAccessDeniedException'],
  ['unavailable', 'InternalErrorException'],
  ['unavailable', 'KMSNotFoundException'],
  ['invalid', 'InvalidParameterException'],
  ['unknown', 'SomethingNew'],
])('of SNS is %s: %s', (code, name) => {
  expect(toSnsError(named(name), 'Publish')).toMatchObject({ code, message: 'Publish failed: said the service' });
});

test.each<[FaultCode, string]>([
  ['notFound', 'NoSuchBucket'],
  ['notFound', 'NotFound'],
  ['throttled', 'SlowDown'],
  ['accessDenied', 'AccessDenied'],
  ['accessDenied', 'InvalidAccessKeyId'],
  ['accessDenied', 'RequestTimeTooSkewed'],
  ['unavailable', 'OperationAborted'],
  ['unavailable', 'InternalError'],
  ['invalid', 'EntityTooLarge'],
  ['unknown', 'SomethingNew'],
])('of S3 is %s: %s', (code, name) => {
  expect(toS3Error(named(name), 'PutObject')).toMatchObject({ code, message: 'PutObject failed: said the service' });
});
