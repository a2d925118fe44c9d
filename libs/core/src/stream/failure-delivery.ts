import { type BackoffPolicy, backoffMs } from '../backoff.ts';
import type { Random } from '../clock.ts';

/** What becomes of a failure record that its destination did not take. The checkpoint stands still until this is settled. */
export type DeliveryDecision = { readonly kind: 'retry'; readonly afterMs: number } | { readonly kind: 'drop' };

/**
 * What a mapping does while its failure destination refuses: `block` keeps the records, and the shard with them, until the
 * destination takes them; `drop` gives them up after some tries, as Lambda does.
 */
export type OnDestinationFailure = 'block' | 'drop';

/** Pauses between tries to deliver one failure record. Inferred: AWS documents none. */
export const DELIVERY_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 60_000, leastMs: 50 };

/** Tries after which `drop` gives a failure record up. Inferred: AWS was only seen to give up. */
export const DELIVERY_TRIES = 5;

/**
 * Decides after a failed delivery. A dropped batch counts its records as dropped and one failed delivery.
 * @param failures failed tries of this failure record, 1 after the first
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function afterFailedDelivery(failures: number, onDestinationFailure: OnDestinationFailure, random: Random): DeliveryDecision {
  if (onDestinationFailure === 'drop' && failures >= DELIVERY_TRIES) return { kind: 'drop' };
  return { kind: 'retry', afterMs: backoffMs(failures, DELIVERY_BACKOFF, random) };
}
