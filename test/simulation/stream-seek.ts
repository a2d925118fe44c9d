import { writePosition } from '@wherry/core/stream/stored-position';
import { planSeek } from '@wherry/core/stream/seek';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import { knownShards, rowOfView } from '@wherry/engine/stream/known-shards';
import type { StreamsWorld } from './stream-poller.ts';
import { uuidOfStream } from './stream-settings.ts';

/** What `wherry seek` does, with nothing between it and the store: every mapping to its oldest record, or to now. */
export async function seekStreams(world: StreamsWorld, kind: 'TRIM_HORIZON' | 'LATEST'): Promise<void> {
  const { leases, streams } = world.coordination;
  for (const { plan, stream } of world.streams.values()) {
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
      target: { kind },
      nowMs: world.sim.nowMs(),
    });
    const moves = plans?.moves ?? [];
    world.trace.note(`seek ${plan.name} ${kind} ${moves.length}`);
    await leases.reposition(
      moves.map(({ shardId, to }) => ({
        id: shardUnitId(mapping, key, shardId),
        checkpoint: writePosition(to.position),
        ended: to.isEnded,
      })),
    );
  }
}
