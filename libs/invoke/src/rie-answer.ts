import type { InvokeResult } from '@wherry/core/invoke';
import { functionError, parseFunctionError, parseObject, statedFunctionError, type FunctionError } from './function-error.ts';
import { headerOf, type HttpAnswer } from './http-exchange.ts';

/** The text with which the emulator answers 200 when the function was too slow for `AWS_LAMBDA_FUNCTION_TIMEOUT`. */
const TIMED_OUT = /^\s*(Task timed out after \d+(?:\.\d+)? seconds)\.?\s*$/;

/** No longer body can be the text above. */
const MAX_TIMED_OUT_BYTES = 128;

/**
 * What the runtimes of all languages put into an error object and nothing else; the idea is that of `sam local`, which reads
 * the same answers (aws-sam-cli, `LambdaOutputParser.is_lambda_error_response`). The longer list of keys is ours [I].
 */
const ERROR_KEYS: ReadonlySet<string> = new Set(['errorMessage', 'errorType', 'stackTrace', 'trace', 'cause', 'requestId']);

/** When no runtime is idle the emulator in its Managed Instances mode says so this quickly; it is asked again after this long [I]. */
const NO_IDLE_RUNTIME_RETRY_MS = 250;

/**
 * Sorts an answer of the Runtime Interface Emulator. In its classic mode it marks nothing: errors of the function come as
 * status 200 with an error object, a timeout as status 200 with a line of text, a crash as 502. In Managed Instances mode a
 * header `Error-Type` names the trouble. Seen on the emulator of aws-sam-cli 1.170.0; its source is
 * https://github.com/aws/aws-lambda-runtime-interface-emulator.
 */
export function classifyRieAnswer(answer: HttpAnswer, requestId: string, durationMs: number): InvokeResult {
  const { body, headers, status } = answer;
  const errorHeader = headerOf(headers, 'error-type') ?? headerOf(headers, 'x-amz-function-error') ?? '';
  if (status >= 200 && status < 300) return classifyReturned(body, errorHeader, requestId, durationMs);
  const error = parseFunctionError(body, { errorType: errorHeader, errorMessage: `HTTP status ${status}` });
  if (status === 400) return classifyRefused(error, durationMs);
  // The runtime ended or never came up; a 502 without an error object was made by something in front of the emulator.
  if (status === 502 && error.errorType !== '') return functionError(error, body, durationMs);
  const named = error.errorType === '' ? '' : ` ${error.errorType}`;
  if (status === 413) return { kind: 'tooLarge', reason: `HTTP status 413${named}`, durationMs };
  if (status === 429) return { kind: 'throttled', reason: `HTTP status 429${named}`, durationMs };
  // The emulator knows a single path, so 404 means that something else listens there.
  const permanent = status === 404 || (status >= 300 && status < 400);
  return { kind: 'unavailable', reason: `HTTP status ${status}${named}`, permanent, durationMs };
}

function classifyReturned(body: Uint8Array, errorHeader: string, requestId: string, durationMs: number): InvokeResult {
  if (errorHeader !== '') {
    const error = parseFunctionError(body, { errorType: errorHeader, errorMessage: 'the emulator reported a function error' });
    return functionError(error, body, durationMs);
  }
  const timedOut = body.length <= MAX_TIMED_OUT_BYTES ? TIMED_OUT.exec(Buffer.from(body).toString()) : null;
  if (timedOut !== null) {
    // The form in which Lambda itself reports a timeout.
    const errorMessage = `RequestId: ${requestId} Error: ${timedOut[1]}`;
    return statedFunctionError({ errorType: 'Sandbox.Timedout', errorMessage }, durationMs);
  }
  const error = errorObject(body);
  return error === undefined ? { kind: 'success', body, durationMs, executedVersion: '$LATEST' } : functionError(error, body, durationMs);
}

/** The error that `body` is, if it has both a type and a message and nothing that an ordinary answer would have. */
function errorObject(body: Uint8Array): FunctionError | undefined {
  // Most answers are no errors: finding the key is far cheaper than parsing 6 MB.
  if (!Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes('"errorType"')) return undefined;
  const parsed = parseObject(body);
  if (parsed === undefined || !Object.hasOwn(parsed, 'errorType') || !Object.hasOwn(parsed, 'errorMessage')) return undefined;
  if (!Object.keys(parsed).every((key) => ERROR_KEYS.has(key))) return undefined;
  return parseFunctionError(body, { errorType: 'Unhandled', errorMessage: '' });
}

/** Status 400: Managed Instances mode names the reason; classic mode says so of an emulator in a bad state, without a reason. */
function classifyRefused(error: FunctionError, durationMs: number): InvokeResult {
  switch (error.errorType) {
    case 'Runtime.Unavailable':
      return { kind: 'throttled', reason: error.errorType, retryAfterMs: NO_IDLE_RUNTIME_RETRY_MS, durationMs };
    case 'Client.ExecutionEnvironmentShutDown':
    // The previous attempt still runs: to be asked again later, not counted.
    case 'Client.DuplicatedInvokeId':
    case '':
      return { kind: 'unavailable', reason: `HTTP status 400 ${error.errorType}`.trimEnd(), permanent: false, durationMs };
    default:
      return { kind: 'rejected', reason: `HTTP status 400 ${error.errorType}: ${error.errorMessage}`, durationMs };
  }
}
