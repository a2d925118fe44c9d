import type { BackoffPolicy } from './backoff.ts';
import type { FaultCode } from './source-error.ts';

/**
 * How long a mapping pauses after its source failed, by class of failure. What a person has to mend (permission, a missing
 * queue, a bad request) is asked for rarely; what mends itself is tried again soon. So is at first what nobody can name, since
 * one odd answer of a proxy must not stop a mapping whose next call would work; what goes on like that is asked for rarely too.
 */
export const FAULT_PAUSES: Readonly<Record<FaultCode, BackoffPolicy>> = {
  throttled: { firstMs: 1_000, maxMs: 30_000, leastMs: 200 },
  unavailable: { firstMs: 1_000, maxMs: 30_000, leastMs: 200 },
  notFound: { firstMs: 5_000, maxMs: 60_000, leastMs: 2_000 },
  expired: { firstMs: 1_000, maxMs: 30_000, leastMs: 200 },
  accessDenied: { firstMs: 30_000, maxMs: 300_000, leastMs: 15_000 },
  invalid: { firstMs: 30_000, maxMs: 300_000, leastMs: 15_000 },
  unknown: { firstMs: 1_000, maxMs: 300_000, leastMs: 500 },
};
