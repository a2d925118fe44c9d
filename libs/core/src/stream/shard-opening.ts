import type { ShardPosition } from '../stream-source.ts';
import { FROM_THE_OLDEST, type StoredPosition } from './stored-position.ts';

/** How a shard's reader is opened. */
export interface ShardOpening {
  readonly position: ShardPosition;
  /**
   * Records that arrived before this are left out: not given to the function, and no reason to move the checkpoint, which must
   * stay at the stored time until the first record that counts. The next owner could not leave them out otherwise.
   */
  readonly leaveOutBeforeMs?: number;
}

/** What decides how a stored position is opened. */
export interface OpeningSituation {
  readonly source: 'kinesis' | 'dynamodb';
  /** The lease was never owned before this time (its epoch is 1). */
  readonly isFirstOwner: boolean;
  /** Wall clock, epoch milliseconds. */
  readonly nowMs: number;
}

/**
 * For how long after the mapping's first look a DynamoDB shard may be opened at LATEST itself. Records of that time may be
 * missed if the store loses its last writes just then, and Lambda allows as much: it documents that a mapping at LATEST may
 * miss records for minutes while it is created. Afterwards time alone decides, so that nothing is missed.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 */
export const LATEST_WITHIN_MS = 60_000;

/**
 * `ApproximateCreationDateTime` is cut off to the second by DynamoDB and to the minute by DynamoDB Local, so a record may be
 * younger than it says by this much. Only what is certainly too old is left out.
 */
export const CREATION_TIME_CUT_MS = 60_000;

/**
 * How the shard loop opens a shard whose lease it has just taken.
 *
 * Kinesis has an iterator for each stored position. DynamoDB has none for a time, and a time stored there always stands for
 * LATEST (Lambda refuses AT_TIMESTAMP for DynamoDB). So the first owner, in the first minute, opens LATEST. Any later one reads
 * from the oldest record, at most a day old, and leaves out those from before the time: slower once, but nothing is missed.
 */
export function openingOf(stored: StoredPosition, situation: OpeningSituation): ShardOpening {
  if (situation.source === 'kinesis' || stored.kind !== 'AT_TIMESTAMP') return { position: stored };
  const isFresh = Math.abs(situation.nowMs - stored.timestampMs) < LATEST_WITHIN_MS;
  return situation.isFirstOwner && isFresh ? { position: { kind: 'LATEST' } } : fromTheOldestSince(stored.timestampMs);
}

/**
 * How to go on when the reader says `expired`: what stood at its position is trimmed (`TrimmedDataAccessException`), or an
 * iterator for LATEST ran out before it brought a record, so that nobody knows any more where it stood.
 *
 * Lambda goes on at the oldest record. Records lost to the stream's retention are not counted as dropped, only logged.
 *
 * @param stored the position in the lease row
 * @param hasRead whether this reader has returned a record
 * @returns the new opening, and whether records may have been lost, which is worth a warning
 */
export function openingAfterExpired(
  stored: StoredPosition,
  hasRead: boolean,
  source: OpeningSituation['source'],
): ShardOpening & { readonly mayHaveLost: boolean } {
  // Not lost where nothing was read: LATEST ran out, and what came since is no older than a day.
  if (source === 'dynamodb' && stored.kind === 'AT_TIMESTAMP') return { ...fromTheOldestSince(stored.timestampMs), mayHaveLost: hasRead };
  return { position: FROM_THE_OLDEST, mayHaveLost: true };
}

function fromTheOldestSince(timestampMs: number): ShardOpening {
  return { position: FROM_THE_OLDEST, leaveOutBeforeMs: timestampMs - CREATION_TIME_CUT_MS };
}
