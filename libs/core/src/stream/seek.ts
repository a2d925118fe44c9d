/**
 * What becomes of the shards of a mapping that people send back or forth, as pure data: `wherry seek` lists the stream, asks here,
 * shows the moves, and writes them with `LeaseStore.reposition` in their order, while the fleet goes on.
 *
 * Every shard that the listing shows gets a row, registered or not: a shard that discovery finds later without a row is taken for
 * a new one and begins at its oldest record, which after a seek to LATEST nobody wants. What is created after the listing is a
 * child of a listed shard and holds nothing older than the seek.
 */
import type { StreamShard } from '../stream-source.ts';
import { type KnownShard, readableShards, type ShardRow } from './lineage.ts';
import { parentsFirst } from './shard-tree.ts';
import { firstPosition, type StartingPosition } from './starting-set.ts';
import { FROM_THE_OLDEST, type StoredPosition, writePosition } from './stored-position.ts';

/** Where people send a mapping: all of its shards, or one of them to a record, which is then delivered again. */
export type SeekTarget =
  | StartingPosition
  | { readonly kind: 'AT_SEQUENCE_NUMBER'; readonly shardId: string; readonly sequenceNumber: string };

/** Everything that a seek is decided from. */
export interface SeekSnapshot {
  /** All pages of one unfiltered listing. */
  readonly listed: readonly StreamShard[];
  /** Every registered shard, and every listed one that has a row. */
  readonly known: readonly KnownShard[];
  readonly target: SeekTarget;
  /** Wall clock, read after the listing came back, epoch milliseconds. */
  readonly nowMs: number;
}

/** Where a shard stood: its position, read to its end, not to be read (`damaged`), or nowhere. */
export type SeekOrigin = StoredPosition | 'ended' | 'damaged' | 'none';

/** One shard that goes elsewhere. */
export interface SeekMove {
  readonly shardId: string;
  readonly from: SeekOrigin;
  readonly to: ShardRow;
}

/** What a seek does. */
export interface SeekPlan {
  /** In the order in which they have to be written. */
  readonly moves: readonly SeekMove[];
  /** Shards that wait where the target wants them already, or that it does not concern. */
  readonly staying: number;
  /** Of all shards that are not over afterwards: those that can be read at once. */
  readonly readable: readonly string[];
  /** The others: their parents have to be read to their end before. */
  readonly waiting: readonly string[];
}

/**
 * Plans a seek.
 *
 * - TRIM_HORIZON and AT_TIMESTAMP: every shard that still exists, also those that had been read to their end: they come back. Parents
 *   are written before their children, so that no child is read before a parent that comes back.
 * - LATEST: open shards go to the time of the seek, closed ones end. The children are written first, because a parent that ends sets
 *   them free, and they would begin where they stood.
 * - AT_SEQUENCE_NUMBER: that shard alone. Its children wait until it has been read again.
 *
 * A shard that is registered and not listed goes with the others while it is not over, and is never ended here: it may be a child
 * that the listing does not show yet. Retired shards stay as they are.
 *
 * @returns `undefined` if the target names a shard that is neither listed nor registered
 */
export function planSeek({ listed, known, target, nowMs }: SeekSnapshot): SeekPlan | undefined {
  const rows = new Map(known.map((shard) => [shard.shardId, shard]));
  const listedIds = new Set(listed.map(({ shardId }) => shardId));
  const unlisted = known.filter(({ shardId, isRetired }) => !listedIds.has(shardId) && isRetired !== true);
  const shards = parentsFirst([...listed, ...unlisted]);
  if (target.kind === 'AT_SEQUENCE_NUMBER' && !shards.some(({ shardId }) => shardId === target.shardId)) return undefined;

  // A shard that may be read has an owner, perhaps, whose batch in flight would take it away from where it stands.
  const isReadable = new Set(readableShards(known));
  const moves: SeekMove[] = [];
  for (const shard of shards) {
    const { shardId } = shard;
    const from = originOf(rows.get(shardId)?.row);
    const goal = goalOf('isOpen' in shard ? shard : { ...shard, isOpen: true }, target, nowMs);
    const isOver = !listedIds.has(shardId) && from === 'ended' && target.kind !== 'AT_SEQUENCE_NUMBER';
    if (goal === 'stay' || isOver) continue;
    const to = goal === 'end' ? endedAt(from) : { position: goal, isEnded: false };
    if (isReadable.has(shardId) || !isThere(from, to)) moves.push({ shardId, from, to });
  }
  return {
    moves: [...moves.filter(({ to }) => !to.isEnded), ...moves.filter(({ to }) => to.isEnded).toReversed()],
    staying: shards.length - moves.length,
    ...afterwards(shards, rows, moves),
  };
}

function goalOf(shard: StreamShard, target: SeekTarget, nowMs: number): StoredPosition | 'end' | 'stay' {
  if (target.kind !== 'AT_SEQUENCE_NUMBER') return firstPosition(shard, target, nowMs) ?? 'end';
  return shard.shardId === target.shardId ? { kind: 'AT_SEQUENCE_NUMBER', sequenceNumber: target.sequenceNumber } : 'stay';
}

function originOf(row: KnownShard['row']): SeekOrigin {
  if (row === undefined) return 'none';
  if (row === 'damaged') return 'damaged';
  return row.isEnded ? 'ended' : row.position;
}

/** A row that is over keeps its checkpoint: it says how far the shard was read. */
function endedAt(from: SeekOrigin): ShardRow {
  return { position: typeof from === 'string' ? FROM_THE_OLDEST : from, isEnded: true };
}

function isThere(from: SeekOrigin, to: ShardRow): boolean {
  if (typeof from === 'string') return from === 'ended' && to.isEnded;
  return !to.isEnded && writePosition(from) === writePosition(to.position);
}

/** Which shards can be read once the moves are written and discovery has registered what is new. */
function afterwards(
  shards: readonly { readonly shardId: string; readonly parentShardIds: readonly string[] }[],
  rows: ReadonlyMap<string, KnownShard>,
  moves: readonly SeekMove[],
): Pick<SeekPlan, 'readable' | 'waiting'> {
  const moved = new Map(moves.map(({ shardId, to }) => [shardId, to]));
  const then = shards.map(({ shardId, parentShardIds }): KnownShard => {
    return { shardId, parentShardIds, isRegistered: true, row: moved.get(shardId) ?? rows.get(shardId)?.row };
  });
  const readable = readableShards(then);
  const isReadable = new Set(readable);
  const waiting = then.filter(({ shardId, row }) => !isReadable.has(shardId) && originOf(row) !== 'ended').map(({ shardId }) => shardId);
  return { readable, waiting };
}
