import { SourceError, type FaultCode } from './source-error.ts';
import { describe, expect, test } from 'vitest';
import { bareSqsErrorName, toSqsError } from './sqs-fault.ts';

function named(name: string, more: object = {}): Error {
  return Object.assign(new Error('said the service'), { name }, more);
}

describe('the class of an error of SQS', () => {
  test.each<[FaultCode, Error]>([
    ['notFound', named('QueueDoesNotExist')],
    ['notFound', named('AWS.SimpleQueueService.NonExistentQueue')],
    ['notFound', named('AWS.SimpleQueueService.QueueDeletedRecently')],
    ['accessDenied', named('AccessDenied')],
    ['accessDenied', named('AccessDeniedException')],
    ['accessDenied', named('InvalidClientTokenId')],
    ['accessDenied', named('CredentialsProviderError')],
    ['accessDenied', named('KmsAccessDenied')],
    ['throttled', named('OverLimit')],
    ['throttled', named('AWS.SimpleQueueService.OverLimit')],
    ['throttled', named('RequestThrottled')],
    ['throttled', named('com.amazonaws.sqs#ThrottlingException')],
    ['throttled', named('KMS.ThrottlingException')],
    ['unavailable', named('KmsDisabled')],
    ['unavailable', named('KMS.NotFoundException')],
    ['unavailable', named('InternalFailure')],
    ['unavailable', named('TimeoutError', { code: 'ECONNRESET' })],
    ['unavailable', named('Error', { code: 'ECONNREFUSED' })],
    ['unavailable', named('AbortError')],
    ['unavailable', new AggregateError([named('Error', { code: 'ECONNREFUSED' })])],
    ['invalid', named('InvalidParameterValue')],
    ['invalid', named('AWS.SimpleQueueService.UnsupportedOperation')],
    ['unknown', named('SomethingNew')],
  ])('%s: %s', (code, thrown) => {
    expect(toSqsError(thrown, 'ReceiveMessage')).toMatchObject({ code, cause: thrown });
  });

  test.each<[number, FaultCode]>([
    [429, 'throttled'],
    [403, 'accessDenied'],
    [502, 'unavailable'],
    [400, 'unknown'],
  ])('of a name that nobody knows follows HTTP status %i', (status, code) => {
    expect(toSqsError(named('NoSuchName', { $metadata: { httpStatusCode: status } }), 'ReceiveMessage').code).toBe(code);
    expect(toSqsError(named('SyntaxError', { $response: { statusCode: status } }), 'ReceiveMessage').code).toBe(code);
  });

  test('keeps the name of the service and says which call failed', () => {
    expect(toSqsError(named('AWS.SimpleQueueService.NonExistentQueue'), 'GetQueueAttributes')).toMatchObject({
      serviceCode: 'NonExistentQueue',
      message: 'GetQueueAttributes failed: said the service',
    });
  });

  test('is not given twice', () => {
    const error = new SourceError('notFound', 'QueueDoesNotExist', 'GetQueueUrl failed');
    expect(toSqsError(error, 'ReceiveMessage')).toBe(error);
  });

  test('is unknown for what is not an error at all', () => {
    expect(toSqsError('out of nowhere', 'ReceiveMessage')).toMatchObject({ code: 'unknown', serviceCode: 'Error' });
  });
});

test.each([
  ['com.amazonaws.sqs#QueueDoesNotExist', 'QueueDoesNotExist'],
  ['AWS.SimpleQueueService.OverLimit', 'OverLimit'],
  ['ThrottlingException:http://internal.amazon.com/coral/', 'ThrottlingException'],
  ['KMS.DisabledException', 'KMS.DisabledException'],
])('the bare name of %s is %s', (name, bare) => {
  expect(bareSqsErrorName(name)).toBe(bare);
});
