import type { InvokeResult } from '@wherry/core/invoke';
import { functionError, parseFunctionError, parseObject, type FunctionError } from './function-error.ts';
import { headerOf, type HttpAnswer, type HttpHeaders } from './http-exchange.ts';
import { retryAfterMs } from './retry-after.ts';

/** How Lambda ends the message of a timeout; before it come a time and a request id. */
const TIMED_OUT = /Task timed out after \d+(?:\.\d+)? seconds\s*$/;

/** The function's error; Lambda's older form of a timeout, which has a message and no type, gets the type of the newer one. */
function namedError(body: Uint8Array, marked: string): FunctionError {
  const error = parseFunctionError(body, { errorType: marked, errorMessage: 'the function failed' });
  return error.errorType === marked && TIMED_OUT.test(error.errorMessage) ? { ...error, errorType: 'Sandbox.Timedout' } : error;
}

/** Lambda's name of an error, and what it says; messages may be long, and end up in log lines. */
export interface ServiceError {
  readonly name: string;
  readonly message: string;
  /** `Reason` of a throttle, such as `ReservedFunctionConcurrentInvocationLimitExceeded`. */
  readonly reason: string | undefined;
}

const MAX_MESSAGE_CHARACTERS = 512;

/** The request was not accepted because of its signature or keys, whatever the status; the function did not run. */
const SIGNATURE_ERRORS: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** Those that new keys of the same source cure. */
const EXPIRED_ERRORS: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException']);

/** Throttles that other parts of AWS send with status 400. */
const THROTTLE_ERRORS: ReadonlySet<string> = new Set(['TooManyRequestsException', 'ThrottlingException', 'Throttling']);

/** Statuses of trouble around the function that passes: EFS and S3 mounts (408, 410), updates and snapshots in progress (409), quotas (402). */
const PASSING_STATUSES: ReadonlySet<number> = new Set([402, 408, 409, 410]);

/**
 * Reads the error of an answer. The name stands in `x-amzn-errortype`, sometimes with a URL behind a colon; or in the
 * body's `__type`, sometimes behind a namespace and `#`; or in its `code`. The message is `message` or `Message`, as
 * Lambda writes both.
 */
export function readServiceError(answer: HttpAnswer): ServiceError {
  const body = parseObject(answer.body) ?? {};
  const text = (...names: string[]): string | undefined => names.map((name) => body[name]).find((value) => typeof value === 'string');
  const named = headerOf(answer.headers, 'x-amzn-errortype') ?? text('__type', 'code') ?? '';
  return {
    name: named.replace(/:.*$/s, '').replace(/^.*#/s, '').trim().slice(0, MAX_MESSAGE_CHARACTERS),
    message: (text('message', 'Message') ?? '').slice(0, MAX_MESSAGE_CHARACTERS),
    reason: text('Reason')?.slice(0, MAX_MESSAGE_CHARACTERS),
  };
}

/** Which version ran, and under which id; Lambda says both also where the function failed. */
function ranAs(headers: HttpHeaders): { readonly executedVersion?: string; readonly requestId?: string } {
  const executedVersion = headerOf(headers, 'x-amz-executed-version');
  const requestId = headerOf(headers, 'x-amzn-requestid');
  return { ...(executedVersion === undefined ? {} : { executedVersion }), ...(requestId === undefined ? {} : { requestId }) };
}

/** Whether the service refused the request because of its signature or keys. */
export function isSignatureError(error: ServiceError): boolean {
  return SIGNATURE_ERRORS.has(error.name);
}

/**
 * Sorts an answer of Lambda's Invoke API into the classes that event source mappings know: only what the function's own code
 * may have done is counted; whatever happened before it ran is not. Errors and statuses:
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors.
 *
 * @param nowMs wall time in epoch milliseconds, for a `Retry-After` that is a date
 */
export function classifyLambdaAnswer(answer: HttpAnswer, durationMs: number, nowMs: number): InvokeResult {
  const { body, headers, status } = answer;
  if (status >= 200 && status < 300) {
    const marked = headerOf(headers, 'x-amz-function-error') ?? '';
    if (marked !== '') return { ...functionError(namedError(body, marked), body, durationMs), ...ranAs(headers) };
    return { kind: 'success', body, durationMs, ...ranAs(headers) };
  }
  const error = readServiceError(answer);
  const reason = `${error.name === '' ? `HTTP status ${status}` : error.name}${error.message === '' ? '' : `: ${error.message}`}`;
  if (status === 429 || THROTTLE_ERRORS.has(error.name)) {
    const waitMs = retryAfterMs(headers, nowMs);
    return { kind: 'throttled', reason: error.reason ?? reason, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }), durationMs };
  }
  if (isSignatureError(error)) return { kind: 'unavailable', reason, permanent: !EXPIRED_ERRORS.has(error.name), durationMs };
  if (status === 413) return { kind: 'tooLarge', reason, durationMs };
  if (status >= 500 || PASSING_STATUSES.has(status)) return { kind: 'unavailable', reason, permanent: false, durationMs };
  // Access denied, function gone, a redirect: it takes somebody to change something, but nothing is lost meanwhile.
  if (status === 403 || status === 404 || status < 400) return { kind: 'unavailable', reason, permanent: true, durationMs };
  return { kind: 'rejected', reason, durationMs };
}
