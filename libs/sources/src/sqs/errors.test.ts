import { SourceError, type FaultCode } from '@wherry/core/source-error';
import { describe, expect, test } from 'vitest';
import { bareErrorName, settleOutcome, toSourceError } from './errors.ts';

function named(name: string, more: object = {}): Error {
  return Object.assign(new Error('said the service'), { name }, more);
}

describe('the class of an error', () => {
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
    expect(toSourceError(thrown, 'ReceiveMessage')).toMatchObject({ code, cause: thrown });
  });

  test.each<[number, FaultCode]>([
    [429, 'throttled'],
    [403, 'accessDenied'],
    [502, 'unavailable'],
    [400, 'unknown'],
  ])('of a name that nobody knows follows HTTP status %i', (status, code) => {
    expect(toSourceError(named('NoSuchName', { $metadata: { httpStatusCode: status } }), 'ReceiveMessage').code).toBe(code);
    expect(toSourceError(named('SyntaxError', { $response: { statusCode: status } }), 'ReceiveMessage').code).toBe(code);
  });

  test('keeps the name of the service and says which call failed', () => {
    expect(toSourceError(named('AWS.SimpleQueueService.NonExistentQueue'), 'GetQueueAttributes')).toMatchObject({
      serviceCode: 'NonExistentQueue',
      message: 'GetQueueAttributes failed: said the service',
    });
  });

  test('is not given twice', () => {
    const error = new SourceError('notFound', 'QueueDoesNotExist', 'GetQueueUrl failed');
    expect(toSourceError(error, 'ReceiveMessage')).toBe(error);
  });

  test('is unknown for what is not an error at all', () => {
    expect(toSourceError('out of nowhere', 'ReceiveMessage')).toMatchObject({ code: 'unknown', serviceCode: 'Error' });
  });
});

test.each([
  ['com.amazonaws.sqs#QueueDoesNotExist', 'QueueDoesNotExist'],
  ['AWS.SimpleQueueService.OverLimit', 'OverLimit'],
  ['ThrottlingException:http://internal.amazon.com/coral/', 'ThrottlingException'],
  ['KMS.DisabledException', 'KMS.DisabledException'],
])('the bare name of %s is %s', (name, bare) => {
  expect(bareErrorName(name)).toBe(bare);
});

describe('an entry that was not settled', () => {
  test.each([
    ['gone', 'ReceiptHandleIsInvalid', ''],
    ['gone', 'AWS.SimpleQueueService.ReceiptHandleIsInvalid', ''],
    ['gone', 'MessageNotInflight', ''],
    ['gone', 'AWS.SimpleQueueService.MessageNotInflight', ''],
    [
      'gone',
      'InvalidParameterValueException',
      'Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.',
    ],
    ['gone', 'InvalidParameterValue', 'Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.'],
    [
      'failed',
      'InvalidParameterValue',
      'Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout is beyond the limit.',
    ],
    ['failed', 'InternalError', ''],
    ['failed', 'AWS.SimpleQueueService.RequestThrottled', ''],
  ])('is %s for %s %s', (outcome, code, message) => {
    expect(settleOutcome(code, message)).toBe(outcome);
  });
});
