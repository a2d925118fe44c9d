import type { Random } from './clock.ts';

/** How pauses grow. */
export interface BackoffPolicy {
  /** Upper bound of the first pause. */
  readonly firstMs: number;
  /** Upper bound of every pause. */
  readonly maxMs: number;
  /** No pause is shorter, so that a lucky draw never makes a hot loop. */
  readonly leastMs: number;
}

/**
 * The pause before the next try, in milliseconds, with full jitter: anything up to a bound that doubles with each failure.
 * Full jitter spreads pollers that failed together; the least pause keeps it from being no pause at all.
 * @param failures failures in a row, 1 after the first
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: Random): number {
  const bound = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(Math.max(policy.leastMs, random() * bound));
}
