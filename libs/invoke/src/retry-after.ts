import type { HttpHeaders } from './http-exchange.ts';
import { headerOf } from './http-exchange.ts';

/** However long a target asks to be left alone, it is asked again after this long [I]. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * The wait that a 429 asks for in `Retry-After`, which is a number of seconds or a date
 * (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
 *
 * @param nowMs wall time, epoch milliseconds
 * @returns 0 to 300,000 ms, or undefined if there is no such header or nobody can read it
 */
export function retryAfterMs(headers: HttpHeaders, nowMs: number): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  // Fractions are not in the standard, but services send them.
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(Math.ceil(waitMs), 0), MAX_RETRY_AFTER_MS);
}
