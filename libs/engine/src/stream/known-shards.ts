import type { LeaseStore, LeaseView } from '@wherry/core/coordination';
import type { KnownShard, ShardRow } from '@wherry/core/stream/lineage';
import { FROM_THE_OLDEST, readPosition } from '@wherry/core/stream/stored-position';
import { shardUnitId } from '@wherry/core/stream/stream-identity';
import type { StreamShard } from '@wherry/core/stream-source';
import type { RegisteredShard } from '@wherry/core/stream-store';

/** The lease rows of these shards, by shard id. Throws `StoreError`. */
export async function viewShards(
  leases: Pick<LeaseStore, 'view'>,
  mapping: string,
  key: string,
  shardIds: readonly string[],
): Promise<Map<string, LeaseView>> {
  if (shardIds.length === 0) return new Map();
  const views = await leases.view(shardIds.map((shardId) => shardUnitId(mapping, key, shardId)));
  return new Map(shardIds.map((shardId, index) => [shardId, views[index]!]));
}

/**
 * What the store says of a mapping's shards, as the rules of lineage take it: those in the register, and listed ones that have a row
 * without standing in the register.
 *
 * @param rowOf the row of each of these shards
 */
export function knownShards(
  registered: readonly RegisteredShard[],
  listed: readonly StreamShard[],
  rowOf: (shardId: string) => KnownShard['row'],
): KnownShard[] {
  const known: KnownShard[] = registered.map((shard) => ({ ...shard, isRegistered: true, row: rowOf(shard.shardId) }));
  const ids = new Set(registered.map(({ shardId }) => shardId));
  for (const { shardId, parentShardIds } of listed) {
    const row = rowOf(shardId);
    if (!ids.has(shardId) && row !== undefined) known.push({ shardId, parentShardIds, isRegistered: false, row });
  }
  return known;
}

/** A lease as the row of a shard. */
export function rowOfView(view: LeaseView | undefined): KnownShard['row'] {
  if (view === undefined) return undefined;
  if (view.ended) return ENDED_ROW;
  if (view.checkpoint === undefined) return undefined;
  const position = readPosition(view.checkpoint);
  return position === undefined ? 'damaged' : { position, isEnded: false };
}

/** Where an ended shard was read to does not matter any more. */
export const ENDED_ROW: ShardRow = { position: FROM_THE_OLDEST, isEnded: true };
