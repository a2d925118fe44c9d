import type { InvokeResult } from '@wherry/core/invoke';
import { expect, it } from 'vitest';
import { classifyRieAnswer } from './rie-answer.ts';

const REQUEST_ID = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
const ERROR = '{"errorMessage":"boom","errorType":"OrderError"}';

function classify(status: number, body: string, headers: Record<string, string> = {}): InvokeResult {
  return classifyRieAnswer({ kind: 'answer', status, headers, body: Buffer.from(body) }, REQUEST_ID, 5);
}

it.each<[string, number, string, Record<string, string>, Partial<InvokeResult>]>([
  ['a plain answer', 200, '{"ok":true}', {}, { kind: 'success', executedVersion: '$LATEST' }],
  ['an empty answer', 200, '', {}, { kind: 'success' }],
  ['text', 200, 'hello', {}, { kind: 'success' }],
  ['a partial batch answer', 200, '{"batchItemFailures":[]}', {}, { kind: 'success' }],
  [
    'an error object of Python',
    200,
    '{"errorMessage":"boom","errorType":"OrderError","requestId":"1","stackTrace":[]}',
    {},
    { kind: 'functionError', errorType: 'OrderError', errorMessage: 'boom' },
  ],
  [
    'an error object of Node',
    200,
    '{"errorType":"Error","errorMessage":"boom","trace":[]}',
    {},
    { kind: 'functionError', errorType: 'Error' },
  ],
  [
    'an error object of Java',
    200,
    '{"errorMessage":"boom","errorType":"E","stackTrace":[],"cause":{}}',
    {},
    { kind: 'functionError', errorType: 'E' },
  ],
  ['an error object with blanks in front', 200, ` \n${ERROR}`, {}, { kind: 'functionError', errorType: 'OrderError' }],
  [
    'an error object with an empty message',
    200,
    '{"errorMessage":"","errorType":"E"}',
    {},
    { kind: 'functionError', errorType: 'E', errorMessage: '' },
  ],
  [
    'an answer with a key of its own beside the error keys',
    200,
    '{"errorMessage":"m","errorType":"E","orderId":7}',
    {},
    { kind: 'success' },
  ],
  ['an error type without a message', 200, '{"errorType":"E"}', {}, { kind: 'success' }],
  ['a list that holds an error object', 200, `[${ERROR}]`, {}, { kind: 'success' }],
  ['a text that quotes an error object', 200, '"{\\"errorType\\":1}"', {}, { kind: 'success' }],
  ['broken JSON', 200, '{"errorType":"E","errorMessage":', {}, { kind: 'success' }],
  [
    'too large an answer',
    200,
    '{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded"}',
    {},
    { kind: 'functionError', errorType: 'Function.ResponseSizeTooLarge' },
  ],
  ['a marked answer', 200, 'x', { 'error-type': 'Function.Unknown' }, { kind: 'functionError', errorType: 'Function.Unknown' }],
  [
    'a marked timeout',
    200,
    '{"errorType":"Sandbox.Timedout","errorMessage":"late"}',
    { 'error-type': 'Sandbox.Timedout' },
    { kind: 'functionError', errorType: 'Sandbox.Timedout', errorMessage: 'late' },
  ],
  [
    'a timeout',
    200,
    'Task timed out after 3.00 seconds',
    {},
    {
      kind: 'functionError',
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${REQUEST_ID} Error: Task timed out after 3.00 seconds`,
    },
  ],
  ['a text that goes on after the timeout', 200, 'Task timed out after 3.00 seconds, they said', {}, { kind: 'success' }],
  [
    'a crash',
    502,
    `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited"}`,
    {},
    { kind: 'functionError', errorType: 'Runtime.ExitError' },
  ],
  ['a 502 of something in front', 502, '<html>bad gateway</html>', {}, { kind: 'unavailable', permanent: false }],
  [
    'no idle runtime',
    400,
    '',
    { 'error-type': 'Runtime.Unavailable' },
    { kind: 'throttled', reason: 'Runtime.Unavailable', retryAfterMs: 250 },
  ],
  ['no idle runtime, said in the body', 400, '{"errorType":"Runtime.Unavailable","errorMessage":""}', {}, { kind: 'throttled' }],
  ['a second run of the same request', 400, '', { 'error-type': 'Client.DuplicatedInvokeId' }, { kind: 'unavailable', permanent: false }],
  [
    'an emulator that shuts down',
    400,
    '',
    { 'error-type': 'Client.ExecutionEnvironmentShutDown' },
    { kind: 'unavailable', permanent: false },
  ],
  ['an emulator in a bad state', 400, '', {}, { kind: 'unavailable', permanent: false }],
  [
    'a request it does not take',
    400,
    '{"errorType":"Client.InvalidHeader","errorMessage":"bad"}',
    {},
    { kind: 'rejected', reason: 'HTTP status 400 Client.InvalidHeader: bad' },
  ],
  ['a body it does not take', 413, '', {}, { kind: 'tooLarge' }],
  ['a proxy that throttles', 429, '', {}, { kind: 'throttled' }],
  ['another server on that port', 404, '404 page not found', {}, { kind: 'unavailable', permanent: true }],
  ['a redirect', 302, '', {}, { kind: 'unavailable', permanent: true }],
  ['an internal error', 500, '', {}, { kind: 'unavailable', permanent: false }],
  ['a finished reservation', 504, '', {}, { kind: 'unavailable', permanent: false }],
])('%s', (_name, status, body, headers, expected) => {
  expect(classify(status, body, headers)).toMatchObject({ durationMs: 5, ...expected });
});

it('writes a timeout as Lambda does', () => {
  const result = classify(200, 'Task timed out after 3.00 seconds');
  expect('body' in result && JSON.parse(Buffer.from(result.body).toString())).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${REQUEST_ID} Error: Task timed out after 3.00 seconds`,
  });
});
