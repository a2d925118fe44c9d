import type { BackoffPolicy } from './backoff.ts';
import { type InvokeResult, isTimeout } from './invoke.ts';

/** Results of one second. */
interface Bucket {
  readonly second: number;
  readonly failed: number;
  readonly total: number;
}

/** What a closed circuit breaker remembers. Once open, only a probe's result counts, and this starts anew. */
export interface Breaker {
  readonly failuresInRow: number;
  readonly buckets: readonly Bucket[];
}

/** A breaker that has seen nothing. */
export const CLOSED_BREAKER: Breaker = { failuresInRow: 0, buckets: [] };

/** Failures in a row that open the breaker. */
const ROW_MAX = 5;
/** Share of failures that opens it, once there are enough results in the window to tell. */
const SHARE_MAX = 0.5;
const SHARE_RESULTS_MIN = 20;
const WINDOW_SECONDS = 10;

/** Waits before a half-open probe: up to 1 s after the first failure, doubling up to 30 s. */
export const PROBE_BACKOFF: BackoffPolicy = { firstMs: 1_000, maxMs: 30_000, leastMs: 500 };

/**
 * What a result says about whether the target is there at all. `failed`: refused or broken connection, TLS error, 5xx of the
 * service, no permission, no such function, no answer in time (`isTimeout`). `alive`: the function ran or was at least found. A throttle is
 * `alive` for a probe, but no proof of health either, so a closed breaker leaves it out of its counts.
 */
export function healthOf(result: InvokeResult): 'failed' | 'alive' | 'throttled' {
  if (isTimeout(result)) return 'failed';
  switch (result.kind) {
    case 'unavailable':
    case 'timedOut':
      return 'failed';
    case 'throttled':
      return 'throttled';
    case 'success':
    case 'functionError':
    case 'rejected':
    case 'tooLarge':
      return 'alive';
  }
}

/**
 * Takes one result into account: opens after 5 failures in a row, or when half of at least 20 results within 10 s failed.
 * @returns the new counts, and whether the breaker has to open now
 */
export function countResult(breaker: Breaker, failed: boolean, nowMs: number): { readonly breaker: Breaker; readonly opens: boolean } {
  const second = Math.floor(nowMs / 1_000);
  const recent = breaker.buckets.filter((bucket) => bucket.second > second - WINDOW_SECONDS && bucket.second !== second);
  const current = breaker.buckets.find((bucket) => bucket.second === second);
  const buckets = [...recent, { second, failed: (current?.failed ?? 0) + (failed ? 1 : 0), total: (current?.total ?? 0) + 1 }];
  const failuresInRow = failed ? breaker.failuresInRow + 1 : 0;
  const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
  const totalFailed = buckets.reduce((sum, bucket) => sum + bucket.failed, 0);
  const opens = failed && (failuresInRow >= ROW_MAX || (total >= SHARE_RESULTS_MIN && totalFailed >= total * SHARE_MAX));
  return { breaker: { failuresInRow, buckets }, opens };
}
