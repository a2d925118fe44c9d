import type { InvokeResult } from '@wherry/core/invoke';

/** What a function says about its own failure. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** Both texts end up in log lines and failure records, and come from outside. */
const MAX_ERROR_TYPE_CHARACTERS = 256;
const MAX_ERROR_MESSAGE_CHARACTERS = 4_096;

/**
 * Reads a body such as `{"errorMessage":"boom","errorType":"Error","trace":[…]}`, as Lambda's runtimes write it. Whatever is
 * missing or is no string is taken from `otherwise`.
 */
export function parseFunctionError(body: Uint8Array, otherwise: FunctionError): FunctionError {
  const parsed = parseObject(body);
  const text = (name: string, fallback: string): string => {
    const value = parsed !== undefined && Object.hasOwn(parsed, name) ? parsed[name] : undefined;
    return typeof value === 'string' && value !== '' ? value : fallback;
  };
  return {
    errorType: text('errorType', otherwise.errorType).slice(0, MAX_ERROR_TYPE_CHARACTERS),
    errorMessage: text('errorMessage', otherwise.errorMessage).slice(0, MAX_ERROR_MESSAGE_CHARACTERS),
  };
}

/** The JSON object that `body` holds, or undefined if it holds anything else. */
export function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  // Most bodies are no objects of interest; looking at the first byte spares parsing 6 MB of text.
  if (body.find((byte) => !JSON_BLANKS.has(byte)) !== OPENING_BRACE) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
    return isObject(parsed) ? parsed : undefined;
  } catch {
    // A body that is not JSON is an answer of its own, never a fault.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const OPENING_BRACE = 0x7b;
const JSON_BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** A function error as a target found it, and one that it states itself where the function's own body cannot be used. */
export function functionError(
  error: FunctionError,
  body: Uint8Array,
  durationMs: number,
): InvokeResult & { readonly kind: 'functionError' } {
  return { kind: 'functionError', ...error, body, durationMs };
}

/** As `functionError`, with the body that Lambda would have answered with. */
export function statedFunctionError(error: FunctionError, durationMs: number): InvokeResult {
  const { errorType, errorMessage } = error;
  return functionError(error, Buffer.from(JSON.stringify({ errorType, errorMessage })), durationMs);
}
