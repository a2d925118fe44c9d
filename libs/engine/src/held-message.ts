import type { QueueMessage } from '@wherry/core/queue-source';
import { VISIBILITY_SECONDS_MAX } from '@wherry/core/receive-plan';

/** A message in this process's memory, between its receive and the end of its batch. */
export interface HeldMessage {
  readonly message: QueueMessage;
  /** Monotonic time at which the queue may give it to somebody else; the visibility keeper moves it on. */
  visibleAgainAtMs: number;
  /** SQS's limit: no extension reaches beyond 12 hours after the receive. */
  readonly heldUntilMaxMs: number;
}

/**
 * Of a message's visibility, what must be left for an invocation to begin: room for the call itself, so that the message is
 * still ours when the function gets it.
 */
const LEAST_VISIBLE_MS = 250;

/** @param visibilitySeconds what the receive gave it */
export function holdMessage(message: QueueMessage, visibilitySeconds: number): HeldMessage {
  const visibleAgainAtMs = message.visibleAgainAtMs;
  return { message, visibleAgainAtMs, heldUntilMaxMs: visibleAgainAtMs + (VISIBILITY_SECONDS_MAX - visibilitySeconds) * 1_000 };
}

/**
 * The messages that may still be invoked. A message whose visibility has run out, or is about to, belongs to the queue again.
 * The rest of its message group goes with it, because the queue will hand out the group from that message on.
 */
export function stillOurs(batch: readonly HeldMessage[], nowMs: number): readonly HeldMessage[] {
  const isOurs = (held: HeldMessage): boolean => nowMs + LEAST_VISIBLE_MS < held.visibleAgainAtMs;
  if (batch.every(isOurs)) return batch;
  const lostGroups = new Set(batch.filter((held) => !isOurs(held)).map((held) => held.message.messageGroupId));
  lostGroups.delete(undefined);
  return batch.filter((held) => isOurs(held) && !lostGroups.has(held.message.messageGroupId));
}

/** Until when at least one message of the batch may be invoked. */
export function oursUntilMs(batch: readonly HeldMessage[]): number {
  return batch.reduce((latest, held) => Math.max(latest, held.visibleAgainAtMs - LEAST_VISIBLE_MS), Number.NEGATIVE_INFINITY);
}

/** UTF-8 bytes of each message's record. */
export function recordBytes(batch: readonly HeldMessage[]): number[] {
  return batch.map((held) => held.message.recordBytes);
}
