/**
 * Which shards of a mapping have a lease, and which may be read: the pure part of shard discovery and of order across splits
 * and merges.
 *
 * Two things are stored. A shard's *lease row* says how far it was read, or that it has ended. The mapping's *register*
 * remembers which shards were ever found, with their parents. Only both together tell a shard that is new (neither) from one
 * whose checkpoint is lost (registered, no row) and from one that is over (registered, row ended).
 *
 * Discovery runs under a chore lease: it lists the stream, calls `planShards`, and writes in the plan's order. Every poller asks
 * `readableShards` at each claim scan, from the register and the rows, without a listing. A shard loop that comes to the end of
 * its shard asks `decideShardEnd`.
 *
 *   not listed yet ──listed──▶ registered, row ──parents ended──▶ readable ──drained──▶ row ended ──no longer listed──▶ forgotten
 */
import type { StreamShard } from '../stream-source.ts';
import { childrenOf, parentsFirst } from './shard-tree.ts';
import { firstPosition, type StartingPosition } from './starting-set.ts';
import { FROM_THE_OLDEST, type StoredPosition } from './stored-position.ts';

/**
 * A shard that no listing has shown for so long does not exist any more: its data are past the stream's retention. Long against
 * any delay of a listing, because a shard that is forgotten too early would be read again from its beginning.
 */
export const VANISHED_AFTER_MS = 600_000;

/** A shard's lease row. */
export interface ShardRow {
  readonly position: StoredPosition;
  readonly isEnded: boolean;
}

/** What the fleet remembers of one shard of a mapping. */
export interface KnownShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  /** False for a shard that has a row and is listed, while the register does not (yet) name it. */
  readonly isRegistered: boolean;
  /** Wall clock of the first of the listings in a row that did not show it; epoch milliseconds. */
  readonly missingSinceMs?: number;
  /** The register says that its row is being removed. It is not read any more. */
  readonly isRetired?: boolean;
  /**
   * `undefined` also for a row without any position: whoever takes the lease of a row that is gone creates such a one.
   * `damaged`: its position cannot be read. Nothing is done about it until a person has looked.
   */
  readonly row: ShardRow | 'damaged' | undefined;
}

/** Everything that a look at the stream is decided from. */
export interface LineageSnapshot {
  /** All pages of one unfiltered listing. If a page fails there is nothing to decide: a stream that cannot be seen changes nothing. */
  readonly listed: readonly StreamShard[];
  /** Every registered shard, and every listed one that has a row. */
  readonly known: readonly KnownShard[];
  /** The mapping has a register. It is written after the rows of the first look, and stays while the mapping does. */
  readonly hasRegister: boolean;
  /** This process has read from this stream for this mapping before. It still knows when the whole store was wiped. */
  readonly remembersReading: boolean;
  readonly start: StartingPosition;
  readonly onCheckpointLoss: 'TRIM_HORIZON' | 'stop';
  /** Wall clock, read after the listing came back, epoch milliseconds. */
  readonly nowMs: number;
}

/** A lease row to create where there is none with a position; one that exists stays as it is. */
export interface NewShardRow {
  readonly shardId: string;
  readonly row: ShardRow;
}

/** What to write, in the order of the members, and what to tell. All of it may be repeated. */
export interface LineagePlan {
  readonly create: readonly NewShardRow[];
  /** After the rows, in one write, so that a crash in between never makes a new shard look like a lost one. */
  readonly register: readonly { readonly shardId: string; readonly parentShardIds: readonly string[] }[];
  /** Registered shards that this listing is the first not to show: store `nowMs` as their `missingSinceMs`. */
  readonly missing: readonly string[];
  /** Shards that are listed again: clear their `missingSinceMs` and `isRetired`. */
  readonly foundAgain: readonly string[];
  /** Registered shards that exist no longer: set `isRetired`, so that whoever holds one lets go of it. */
  readonly retire: readonly string[];
  /** Rows to remove. The store keeps those that somebody holds; the next look asks again. */
  readonly removeRows: readonly string[];
  /** Retired shards whose row is gone: they leave the register. */
  readonly unregister: readonly string[];
  /** Shards that may be read once all this is written. */
  readonly readable: readonly string[];
  /** Retired without having been read to their end: the stream's retention was faster. Worth a warning. */
  readonly vanished: readonly string[];
  /** Shards whose checkpoint is gone, and which begin again at the oldest record. Worth a warning. */
  readonly lost: readonly string[];
  /** As `lost`, but `onCheckpointLoss` is `stop`: they and their descendants wait for a decision; the mapping's other shards go on. */
  readonly stopped: readonly string[];
  readonly damaged: readonly string[];
}

/**
 * Decides what a complete listing of the stream means.
 *
 * At the first look of a mapping its `StartingPosition` counts. Later, a listed shard that is not registered is new and begins
 * at its oldest record, wherever it came from; one that is registered and has no row has lost its checkpoint, and begins at its
 * oldest record or waits (`onCheckpointLoss`), never at LATEST. If the register itself is gone although the mapping has been
 * read, every shard without a row counts as lost.
 *
 * Linear in the number of shards.
 */
export function planShards(snapshot: LineageSnapshot): LineagePlan {
  const known = new Map(snapshot.known.map((shard) => [shard.shardId, shard]));
  const added = planRows(snapshot, known);
  const gone = planRemovals(snapshot, known);
  const after = new Map(snapshot.known.map((shard) => [shard.shardId, { ...shard, row: shard.row ?? added.rows.get(shard.shardId) }]));
  for (const { shardId, parentShardIds } of snapshot.listed) {
    const row = known.get(shardId)?.row ?? added.rows.get(shardId);
    after.set(shardId, { shardId, parentShardIds, isRegistered: true, row });
  }
  for (const shardId of gone.unregister) after.delete(shardId);
  for (const shardId of gone.retire) {
    const shard = after.get(shardId);
    if (shard !== undefined) after.set(shardId, { ...shard, isRetired: true });
  }
  return {
    create: [...added.rows].map(([shardId, row]) => ({ shardId, row })),
    register: snapshot.listed
      .filter(({ shardId }) => known.get(shardId)?.isRegistered !== true)
      .map(({ shardId, parentShardIds }) => ({ shardId, parentShardIds })),
    missing: gone.missing,
    foundAgain: snapshot.listed.map(({ shardId }) => shardId).filter((id) => known.get(id)?.missingSinceMs !== undefined),
    retire: gone.retire,
    removeRows: gone.removeRows,
    unregister: gone.unregister,
    readable: readableShards([...after.values()]),
    vanished: gone.vanished,
    lost: added.lost,
    stopped: added.stopped,
    damaged: snapshot.known.filter(({ row }) => row === 'damaged').map(({ shardId }) => shardId),
  };
}

/**
 * The shards that may be read now: those with a row that has not ended, and whose every parent is over. A parent is over when its
 * row has ended, which happens after its last batch is terminal; when it is retired and its row is gone; or when it is not
 * registered, which means that the stream did not list it together with its child: it is trimmed. A parent that has merely lost its
 * row is not over.
 *
 * Siblings do not wait for each other. A shard that is not registered yet is not read, because the rows of its parents may still
 * be on their way, and neither is one that is retired.
 *
 * @see https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
 */
export function readableShards(known: readonly KnownShard[]): string[] {
  const byId = new Map(known.map((shard) => [shard.shardId, shard]));
  const isOver = (id: string): boolean => {
    const parent = byId.get(id);
    if (parent === undefined || hasEnded(parent.row)) return true;
    return parent.isRetired === true && parent.row === undefined;
  };
  return known
    .filter(({ isRegistered, isRetired, row }) => isRegistered && isRetired !== true && isIntact(row) && !row.isEnded)
    .filter(({ parentShardIds }) => parentShardIds.every(isOver))
    .map(({ shardId }) => shardId);
}

/**
 * Whether the mapping has been read before: its register is there, this process remembers, or a row shows a checkpoint. Nothing
 * is read before the register is written, so rows without checkpoints and register are a first look that was cut short, and the
 * next attempt completes it.
 */
function hasRunBefore({ hasRegister, remembersReading, known }: LineageSnapshot): boolean {
  return hasRegister || remembersReading || known.some(({ row }) => isIntact(row) && row.position.kind === 'AFTER_SEQUENCE_NUMBER');
}

/** Rows for shards that have none. Children come before parents, because they tell whether a parent that lost its row was over. */
function planRows(snapshot: LineageSnapshot, known: ReadonlyMap<string, KnownShard>) {
  const rows = new Map<string, ShardRow>();
  const lost: string[] = [];
  const stopped: string[] = [];
  const isFirstLook = !hasRunBefore(snapshot);
  const listed = new Map(snapshot.listed.map((shard) => [shard.shardId, shard]));
  const shards = [...snapshot.listed, ...snapshot.known.filter(({ shardId, isRetired }) => !listed.has(shardId) && isRetired !== true)];
  const children = childrenOf(shards);
  for (const { shardId } of parentsFirst(shards).toReversed()) {
    if (known.get(shardId)?.row !== undefined) continue;
    const shard = listed.get(shardId);
    const isNew = snapshot.hasRegister && known.get(shardId)?.isRegistered !== true;
    if (isFirstLook && shard !== undefined) {
      const position = firstPosition(shard, snapshot.start, snapshot.nowMs);
      rows.set(shardId, { position: position ?? FROM_THE_OLDEST, isEnded: position === undefined });
    } else if (isNew) {
      rows.set(shardId, { position: FROM_THE_OLDEST, isEnded: false });
    } else if ((children.get(shardId) ?? []).some((child) => hasProgressed(rows.get(child) ?? known.get(child)?.row))) {
      // A child is read after its parent alone, so this one was over; reading it again would put old records behind new ones.
      rows.set(shardId, { position: FROM_THE_OLDEST, isEnded: true });
    } else if (shard !== undefined) {
      if (snapshot.onCheckpointLoss === 'stop') stopped.push(shardId);
      else {
        lost.push(shardId);
        rows.set(shardId, { position: FROM_THE_OLDEST, isEnded: false });
      }
    }
  }
  return { rows, lost, stopped };
}

/** What becomes of registered shards that are not listed. */
function planRemovals(snapshot: LineageSnapshot, known: ReadonlyMap<string, KnownShard>) {
  const listed = new Set(snapshot.listed.map(({ shardId }) => shardId));
  const children = childrenOf([...snapshot.listed, ...snapshot.known.filter(({ shardId }) => !listed.has(shardId))]);
  const missing: string[] = [];
  const retire: string[] = [];
  const removeRows: string[] = [];
  const unregister: string[] = [];
  const vanished: string[] = [];
  for (const { shardId, row, missingSinceMs, isRetired } of snapshot.known) {
    if (listed.has(shardId) || row === 'damaged') continue;
    if (isRetired === true) {
      if (row === undefined) unregister.push(shardId);
      else removeRows.push(shardId);
    } else if (missingSinceMs === undefined) {
      missing.push(shardId);
    } else if (snapshot.nowMs - missingSinceMs >= VANISHED_AFTER_MS) {
      // While a child has not begun, the row of a parent that has ended is the proof that it may.
      if (hasEnded(row) && !(children.get(shardId) ?? []).every((child) => hasProgressed(known.get(child)?.row))) continue;
      if (!hasEnded(row)) vanished.push(shardId);
      retire.push(shardId);
      removeRows.push(shardId);
    }
  }
  return { missing, retire, removeRows, unregister, vanished };
}

function isIntact(row: ShardRow | 'damaged' | undefined): row is ShardRow {
  return row !== undefined && row !== 'damaged';
}

function hasEnded(row: ShardRow | 'damaged' | undefined): boolean {
  return isIntact(row) && row.isEnded;
}

function hasProgressed(row: ShardRow | 'damaged' | undefined): boolean {
  return isIntact(row) && (row.isEnded || row.position.kind === 'AFTER_SEQUENCE_NUMBER');
}
