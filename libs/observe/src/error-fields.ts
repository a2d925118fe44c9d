/** Longest text of an error that goes into a log line. */
const TEXT_LENGTH_MAX = 256;

/** How deep a chain of causes is followed. */
const CAUSES_MAX = 3;

const WITHHELD = 'text withheld: it may quote the input';

/** What a log line says about an error. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/**
 * Picks what may be logged of an error: its type, code, message and the places of its stack.
 *
 * Payloads must never reach a log line, and errors are the way they would: V8 quotes the text in the message of a `SyntaxError`
 * from `JSON.parse`, and Node hangs the input on the error object (`ERR_INVALID_URL` has `input`). So own properties are not copied,
 * messages of `SyntaxError` are withheld, and every message is cut to 256 characters of one line.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return fieldsOfOther(error);
  const code: unknown = 'code' in error ? error.code : undefined;
  const stack = places(error.stack);
  return {
    type: oneLine(error.name),
    message: error instanceof SyntaxError ? WITHHELD : oneLine(error.message),
    ...(typeof code === 'string' ? { code: oneLine(code) } : {}),
    ...(stack === '' ? {} : { stack }),
    ...(error.cause !== undefined && depth < CAUSES_MAX ? { cause: errorFields(error.cause, depth + 1) } : {}),
  };
}

/** Whatever else was thrown or logged under `err`: only `type` and `message` are taken. */
function fieldsOfOther(value: unknown): ErrorFields {
  if (typeof value === 'string') return { type: 'string', message: oneLine(value) };
  const { type, message } = (value ?? {}) as { type?: unknown; message?: unknown };
  return {
    type: typeof type === 'string' ? oneLine(type) : typeof value,
    message: typeof message === 'string' ? oneLine(message) : WITHHELD,
  };
}

/** One line of at most 256 characters, without control characters. */
export function oneLine(text: string): string {
  // Cut before replacing, so that a megabyte of text costs nothing.
  const line = text.slice(0, TEXT_LENGTH_MAX + 1).replaceAll(/\p{Cc}+/gu, ' ');
  return line.length > TEXT_LENGTH_MAX ? `${line.slice(0, TEXT_LENGTH_MAX - 1)}…` : line;
}

/** The `at …` lines of a stack: its first lines repeat the message. */
function places(stack: string | undefined): string {
  return (stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');
}
