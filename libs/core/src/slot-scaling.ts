/** What one poller saw of a queue through the slots it holds, since its last vote on the number of slots. */
export interface SlotSightings {
  /** Slots this poller holds now. */
  readonly slotsHeld: number;
  readonly receives: number;
  /** Receives that brought as many messages as were asked for: there is probably more. */
  readonly fullReceives: number;
  /** Receives that brought nothing. */
  readonly emptyReceives: number;
  readonly invocations: number;
  /** Invocations in which the function failed as a whole. */
  readonly functionErrors: number;
}

/** The sightings of a poller that has just voted. */
export const NOTHING_SEEN: Omit<SlotSightings, 'slotsHeld'> = {
  receives: 0,
  fullReceives: 0,
  emptyReceives: 0,
  invocations: 0,
  functionErrors: 0,
};

/** How often a poller may vote to grow. Short, because a burst waits for it; the fleet-wide limit per minute is the real brake. */
const GROW_EVERY_MS = 1_000;
/** How long a queue must be quiet, or a function failing, before a poller votes to shrink. Lambda does not document its own. */
const SHRINK_EVERY_MS = 60_000;
/** Part of its own slots a poller wants gone in one vote, because the queue is quiet or because the function fails. */
const QUIET_PART = 0.5;
const FAILING_PART = 0.25;
/**
 * Share of receives, and of slots, that must be full to grow; of receives that must be empty, and of invocations that must fail,
 * to shrink.
 */
const FULL_SHARE = 0.5;
const EMPTY_SHARE = 0.9;
const FAILING_SHARE = 0.5;

/**
 * One poller's vote on a mapping's number of slots across the fleet. Each poller votes for the slots it holds only, so that
 * the votes of many pollers add up to a sensible whole; bounds and growth per minute are kept where the votes are counted.
 *
 * Lambda adds pollers while there is a backlog, and takes them away when the queue is quiet and while the function fails. It
 * does not scale down on failures where `ReportBatchItemFailures` is on.
 *
 * @param elapsedMs since the sightings began
 * @returns slots to add (positive) or to take away (negative), 0 to leave it there, or `undefined` to look on for longer
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
export function voteOnSlots(seen: SlotSightings, elapsedMs: number, reportBatchItemFailures: boolean): number | undefined {
  const failing = !reportBatchItemFailures && seen.functionErrors > 0 && seen.functionErrors >= seen.invocations * FAILING_SHARE;
  // Against the slots too: receives that are still out have found nothing yet, and a few full ones among many idle are no backlog.
  const backlog = seen.fullReceives > 0 && seen.fullReceives >= Math.max(seen.receives, seen.slotsHeld) * FULL_SHARE;
  if (backlog && !failing && elapsedMs >= GROW_EVERY_MS) return Math.max(1, seen.slotsHeld);
  if (elapsedMs < SHRINK_EVERY_MS) return undefined;
  if (failing) return -Math.max(1, Math.floor(seen.slotsHeld * FAILING_PART));
  const quiet = seen.receives > 0 && seen.emptyReceives >= seen.receives * EMPTY_SHARE;
  return quiet ? -Math.max(1, Math.floor(seen.slotsHeld * QUIET_PART)) : 0;
}
