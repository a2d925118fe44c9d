import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import pretty from 'pino-pretty';
import type { WherryConfig } from '@wherry/core/mapping';
import { errorFields } from './error-fields.ts';

/**
 * Paths that are never printed, whoever logs them: the second fence. The first is that log calls get picked fields only.
 * Wildcards cost the most, so they are few.
 */
const REDACTED = [
  '*.password',
  '*.secretAccessKey',
  '*.sessionToken',
  'headers.authorization',
  'headers["x-amz-security-token"]',
  'payload',
  'record.body',
  'record.data',
];

/** What `createLogger` needs to know. */
export interface LoggerOptions {
  readonly logging: WherryConfig['logging'];
  /** Fields of every line: who speaks. */
  readonly fleet: string;
  readonly poller: string;
  /** Where lines go. */
  readonly destination: DestinationStream;
  /** `format: auto` prints for people when this is a terminal, JSON otherwise. */
  readonly isTerminal: boolean;
}

/**
 * Makes the logger of a process: one JSON object a line with `level` as a word, `time` in ISO 8601, `pid`, `fleet`, `poller`, `msg` and,
 * for errors, `err`; or coloured text for a terminal.
 *
 * @throws Error when a path in `logging.redact` cannot be parsed; its message names `logging.redact`
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, format, redact } = options.logging;
  const isPretty = format === 'pretty' || (format === 'auto' && options.isTerminal);
  const settings = {
    level,
    base: { pid: process.pid, fleet: options.fleet, poller: options.poller },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: errorFields },
  };
  try {
    return pino(
      { ...settings, redact: { paths: [...REDACTED, ...redact], censor: '***' } },
      isPretty ? prettyInto(options) : options.destination,
    );
  } catch (error) {
    throw new Error(`logging.redact: ${(error as Error).message}; a path looks like record.customerId, headers["x-key"] or *.password`, {
      cause: error,
    });
  }
}

/** Formats in this thread: a worker would lose the last lines before an exit. */
function prettyInto(options: LoggerOptions): DestinationStream {
  const print = pretty.prettyFactory({
    colorize: options.isTerminal,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,fleet,poller',
    singleLine: true,
  });
  return { write: (line) => options.destination.write(print(line)) };
}
