import { writePosition } from '@wherry/core/stream/stored-position';
import { planSeek, type SeekTarget } from '@wherry/core/stream/seek';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import { knownShards, rowOfView } from '@wherry/engine/stream/known-shards';
import type { SimulatedStream } from '@wherry/testkit/simulated-stream';
import type { StreamsWorld } from './stream-poller.ts';
import { uuidOfStream } from './stream-settings.ts';

/**
 * What `wherry seek` does, with nothing between it and the store.
 * @param choice a number that chooses where every mapping goes: its oldest record, now, or a record of one shard
 */
export async function seekStreams(world: StreamsWorld, choice: number): Promise<void> {
  const { leases, streams } = world.coordination;
  for (const { plan, stream } of world.streams.values()) {
    const target = targetOf(stream, choice);
    const mapping = uuidOfStream(plan.name);
    const key = streamKey(stream.identity);
    const register = await streams.readOf(mapping, stream.identity);
    const listed = stream.listShards(undefined).shards;
    const ids = [...new Set([...listed, ...(register?.shards ?? [])].map(({ shardId }) => shardId))];
    const views = await leases.view(ids.map((shardId) => shardUnitId(mapping, key, shardId)));
    const rows = new Map(ids.map((shardId, index) => [shardId, rowOfView(views[index])]));
    const plans = planSeek({
      listed,
      known: knownShards(register?.shards ?? [], listed, (shardId) => rows.get(shardId)),
      target,
      nowMs: world.sim.nowMs(),
    });
    const moves = plans?.moves ?? [];
    world.trace.note(`seek ${plan.name} ${target.kind} ${moves.length}`);
    await leases.reposition(
      moves.map(({ shardId, to }) => ({
        id: shardUnitId(mapping, key, shardId),
        checkpoint: writePosition(to.position),
        ended: to.isEnded,
      })),
    );
  }
}

function targetOf(stream: SimulatedStream, choice: number): SeekTarget {
  const shards = [...stream.shards.values()].filter(({ records }) => records.length > 0);
  const shard = shards[choice % Math.max(1, shards.length)];
  const record = shard?.records[Math.floor(shard.records.length / 2)];
  if (choice % 3 === 0 || shard === undefined || record === undefined) return { kind: 'TRIM_HORIZON' };
  if (choice % 3 === 1) return { kind: 'LATEST' };
  return { kind: 'AT_SEQUENCE_NUMBER', shardId: shard.shardId, sequenceNumber: record.sequenceNumber };
}
