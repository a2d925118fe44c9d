import type { InvokeResult } from '@wherry/core/invoke';
import { describe, expect, it } from 'vitest';
import { classifyLambdaAnswer, readServiceError } from './lambda-answer.ts';

function classify(status: number, name: string, body = '{}', headers: Record<string, string> = {}): InvokeResult {
  return classifyLambdaAnswer({ kind: 'answer', status, headers: { 'x-amzn-errortype': name, ...headers }, body: Buffer.from(body) }, 5, 0);
}

describe('classifyLambdaAnswer', () => {
  const passing = { kind: 'unavailable', permanent: false };
  const lasting = { kind: 'unavailable', permanent: true };
  it.each([
    [400, 'InvalidRequestContentException', { kind: 'rejected' }],
    [400, 'InvalidParameterValueException', { kind: 'rejected' }],
    [400, 'RecursiveInvocationException', { kind: 'rejected' }],
    [400, 'SnapStartException', { kind: 'rejected' }],
    [400, 'ThrottlingException', { kind: 'throttled' }],
    [400, 'ExpiredTokenException', passing],
    [402, 'ServiceQuotaExceededException', passing],
    [403, 'AccessDeniedException', lasting],
    [403, 'EFSMountFailureException', lasting],
    [403, '', lasting],
    [404, 'ResourceNotFoundException', lasting],
    [408, 'EFSMountTimeoutException', passing],
    [408, 'SnapStartTimeoutException', passing],
    [409, 'ResourceConflictException', passing],
    [409, 'SnapStartNotReadyException', passing],
    [410, 'EFSIOException', passing],
    [413, 'RequestTooLargeException', { kind: 'tooLarge' }],
    [413, 'RequestEntityTooLargeException', { kind: 'tooLarge' }],
    [415, 'UnsupportedMediaTypeException', { kind: 'rejected' }],
    [429, 'TooManyRequestsException', { kind: 'throttled' }],
    [429, '', { kind: 'throttled' }],
    [500, 'ServiceException', passing],
    [502, 'EC2ThrottledException', passing],
    [502, 'ENILimitReachedException', passing],
    [502, 'KMSAccessDeniedException', passing],
    [502, 'InvalidRuntimeException', passing],
    [502, 'ResourceNotReadyException', passing],
    [503, '', passing],
    [504, '', passing],
    [301, '', lasting],
  ])('%i %s', (status, name, expected) => {
    expect(classify(status, name)).toMatchObject({ durationMs: 5, ...expected });
  });

  it.each(['CallerRateLimitExceeded', 'ConcurrentInvocationLimitExceeded', 'ReservedFunctionConcurrentInvocationLimitExceeded'])(
    'gives %s as the reason of a throttle',
    (reason) => {
      const body = JSON.stringify({ Reason: reason, Type: 'User', message: 'Rate Exceeded.' });
      expect(classify(429, 'TooManyRequestsException', body, { 'retry-after': '1' })).toMatchObject({ reason, retryAfterMs: 1_000 });
    },
  );

  it.each(['Handled', 'Unhandled'])('takes an answer marked %s for an error of the function', (marked) => {
    const body = '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 1.00 seconds"}';
    expect(classify(200, '', body, { 'x-amz-function-error': marked })).toMatchObject({
      kind: 'functionError',
      errorType: 'Sandbox.Timedout',
      errorMessage: 'RequestId: 1 Error: Task timed out after 1.00 seconds',
    });
    expect(classify(200, '', 'oops', { 'x-amz-function-error': marked })).toMatchObject({ kind: 'functionError', errorType: marked });
  });

  it.each([[{}], [{ 'x-amz-function-error': 'Unhandled' }]])('tells version and id of what ran, marked as %j', (marked) => {
    const headers = { ...marked, 'x-amz-executed-version': '7', 'x-amzn-requestid': '8f507cfc-0000-4000-8000-000000000000' };
    expect(classify(200, '', '{}', headers)).toMatchObject({ executedVersion: '7', requestId: '8f507cfc-0000-4000-8000-000000000000' });
    expect(Object.keys(classify(200, '', '{}', marked))).not.toEqual(expect.arrayContaining(['executedVersion', 'requestId']));
  });

  it('knows a timeout by its message where Lambda names no type', () => {
    const body = '{"errorMessage":"2026-01-01T00:00:00.000Z 8f507cfc-xmpl Task timed out after 3.00 seconds"}';
    expect(classify(200, '', body, { 'x-amz-function-error': 'Unhandled' })).toMatchObject({ errorType: 'Sandbox.Timedout' });
    const own = '{"errorMessage":"my Task timed out after lunch"}';
    expect(classify(200, '', own, { 'x-amz-function-error': 'Unhandled' })).toMatchObject({ errorType: 'Unhandled' });
  });

  it('names error and message for people', () => {
    const body = '{"Type":"User","Message":"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST"}';
    expect(classify(404, 'ResourceNotFoundException', body)).toMatchObject({
      reason: 'ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST',
    });
    expect(classify(503, '', '<html>')).toMatchObject({ reason: 'HTTP status 503' });
  });
});

describe('readServiceError', () => {
  it.each([
    [{ 'x-amzn-errortype': 'ServiceException:http://internal.amazon.com/x' }, '{}', 'ServiceException'],
    [{}, '{"__type":"com.amazonaws.lambda#ResourceNotFoundException"}', 'ResourceNotFoundException'],
    [{}, '{"code":"TooManyRequestsException"}', 'TooManyRequestsException'],
    [{ 'x-amzn-errortype': 'A' }, '{"__type":"B"}', 'A'],
    [{}, '["x"]', ''],
    [{}, '{"__type":7,"constructor":1}', ''],
    [{}, 'broken', ''],
  ])('reads the name from %j %s', (headers, body, name) => {
    expect(readServiceError({ kind: 'answer', status: 500, headers, body: Buffer.from(body) }).name).toBe(name);
  });

  it.each(['{"message":"m"}', '{"Message":"m"}'])('reads the message of %s', (body) => {
    expect(readServiceError({ kind: 'answer', status: 400, headers: {}, body: Buffer.from(body) }).message).toBe('m');
  });
});
