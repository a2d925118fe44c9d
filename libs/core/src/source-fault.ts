import type { BackoffPolicy } from './backoff.ts';
import type { FaultCode } from './source-error.ts';

/**
 * How long a mapping pauses after its source failed, by class of failure. What a person has to mend (permission, a missing
 * queue, a bad request) is asked for rarely; what mends itself is tried again soon. Unknown failures are the slowest, because
 * nobody can say what trying again does.
 */
export const FAULT_PAUSES: Readonly<Record<FaultCode, BackoffPolicy>> = {
  throttled: { firstMs: 1_000, maxMs: 30_000, leastMs: 200 },
  unavailable: { firstMs: 1_000, maxMs: 30_000, leastMs: 200 },
  notFound: { firstMs: 5_000, maxMs: 60_000, leastMs: 2_000 },
  expired: { firstMs: 1_000, maxMs: 30_000, leastMs: 200 },
  accessDenied: { firstMs: 30_000, maxMs: 300_000, leastMs: 15_000 },
  invalid: { firstMs: 30_000, maxMs: 300_000, leastMs: 15_000 },
  unknown: { firstMs: 60_000, maxMs: 300_000, leastMs: 30_000 },
};
