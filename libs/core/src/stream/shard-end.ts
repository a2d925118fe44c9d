import type { StreamShard } from '../stream-source.ts';

/**
 * For how long a shard that is read to its end waits for its children to be found. They are there at once as a rule; a DynamoDB
 * stream that was switched off has none, ever. Lambda documents nothing about it.
 */
export const CHILD_WAIT_MS = 60_000;
/** Pause until the question is asked again. */
export const CHILD_WAIT_STEP_MS = 1_000;

/** What is known when a shard is read to its end and all its batches are terminal. */
export interface ShardEnd {
  readonly shardId: string;
  /** `ChildShards` of the last answer; `undefined` or empty where the source does not say (DynamoDB, some emulators). */
  readonly childShards: readonly StreamShard[] | undefined;
  /** The mapping's register as it is now: the parents of every registered shard, by shard id. */
  readonly registered: ReadonlyMap<string, readonly string[]>;
  /** For how long the end is known, milliseconds. */
  readonly waitedMs: number;
}

/** What to do at the end of a shard. */
export type ShardEndDecision =
  /**
   * In this order: create leases for `adopt` at TRIM_HORIZON where they have none, register them, and mark the shard as ended
   * with `children`. A crash in between leaves a shard that is ended again by its next owner.
   */
  | { readonly kind: 'end'; readonly children: readonly string[]; readonly adopt: readonly StreamShard[] }
  /** Have the stream listed (`planShards`) and ask again after the pause; the lease is kept, nothing is read. */
  | { readonly kind: 'discover'; readonly afterMs: number };

/**
 * Whether a shard may be marked as ended, and which children must have a lease before.
 *
 * Children that the answer names are adopted at once. One whose other parent (of a merge) is not registered is left to discovery:
 * that parent may be a shard nobody has found yet, and without it in the register the child would be read too early. Where the
 * answer names nobody, discovery finds the children. When none turns up in time the shard ends without: a child that is listed
 * later is then found as a new one and begins at its oldest record, so nothing is forgotten.
 */
export function decideShardEnd({ shardId, childShards, registered, waitedMs }: ShardEnd): ShardEndDecision {
  const named = childShards ?? [];
  const unknown = named.filter((child) => !registered.has(child.shardId));
  const adopt = unknown.filter((child) => child.parentShardIds.every((id) => id === shardId || registered.has(id)));
  const found = [...registered].filter(([, parents]) => parents.includes(shardId)).map(([id]) => id);
  const children = [...new Set([...found, ...adopt.map((child) => child.shardId)])];
  const areAllFound = children.length > 0 && adopt.length === unknown.length;
  if (areAllFound || waitedMs >= CHILD_WAIT_MS) return { kind: 'end', children, adopt };
  return { kind: 'discover', afterMs: CHILD_WAIT_STEP_MS };
}
