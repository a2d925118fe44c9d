import { type BackoffPolicy, backoffMs } from '@wherry/core/backoff';
import { StoreError } from '@wherry/core/coordination';
import { CHILD_WAIT_STEP_MS, type ShardEndDecision, decideShardEnd } from '@wherry/core/stream/shard-end';
import { FROM_THE_OLDEST, writePosition } from '@wherry/core/stream/stored-position';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import type { StreamRegister } from '@wherry/core/stream-store';
import type { ShardRun } from './shard-run.ts';

/** Pauses between tries while the store does not answer. */
const STORE_BACKOFF: BackoffPolicy = { firstMs: 200, maxMs: 2_000, leastMs: 100 };

/**
 * Ends a shard that was read to its end and whose last batch is terminal and checkpointed: finds its children, or waits until nobody
 * expects any, sees to it that they have leases, and marks the shard as ended. Returns also when the run stops before; the next owner
 * then finds nothing more to read and ends the shard anew.
 */
export async function finishShard(run: ShardRun): Promise<void> {
  const { clock, random } = run.context.surroundings;
  const sinceMs = clock.monotonicMs();
  run.notice.enter('ending');
  for (let failures = 1; run.mayBegin();) {
    try {
      const decision = await decide(run, clock.monotonicMs() - sinceMs);
      if (decision.kind === 'discover') {
        await run.context.look(run.stopping);
        await clock.sleep(decision.afterMs, run.stopping);
      } else if (!run.mayBegin() || (await end(run, decision))) return;
      failures = 1;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await clock.sleep(backoffMs(failures, STORE_BACKOFF, random), run.stopping);
      failures += 1;
    }
  }
}

/** Without a register of its own stream the shard cannot know its children: discovery has to write it first. */
async function decide(run: ShardRun, waitedMs: number): Promise<ShardEndDecision & { readonly register?: StreamRegister }> {
  const register = await ownRegister(run);
  const registered = new Map(register?.shards.map(({ shardId, parentShardIds }) => [shardId, parentShardIds]) ?? []);
  const decision = decideShardEnd({ shardId: run.shardId, childShards: run.childShards, registered, waitedMs });
  return register === undefined ? { kind: 'discover', afterMs: CHILD_WAIT_STEP_MS } : { ...decision, register };
}

async function ownRegister({ context, lease, shardId }: ShardRun): Promise<StreamRegister | undefined> {
  const [register] = await context.streams.read([{ id: context.mapping.uuid }]);
  if (register === undefined || register === 'unchanged') return undefined;
  return shardUnitId(context.mapping.uuid, streamKey(register.stream), shardId) === lease.id ? register : undefined;
}

/** @returns false if the children have still to be found */
async function end(
  run: ShardRun,
  decision: Extract<ShardEndDecision, { readonly kind: 'end' }> & { readonly register?: StreamRegister },
): Promise<boolean> {
  const { context, lease, shardId } = run;
  const { mapping, leases, streams, owner, observe, surroundings } = context;
  const { adopt, register } = decision;
  if (register === undefined) return false;
  if (adopt.length > 0) {
    const key = streamKey(register.stream);
    const checkpoint = writePosition(FROM_THE_OLDEST);
    await leases.create(adopt.map((child) => ({ id: shardUnitId(mapping.uuid, key, child.shardId), checkpoint, ended: false })));
    await streams.change(mapping.uuid, register.stream, {
      register: adopt.map((child) => ({ shardId: child.shardId, parentShardIds: child.parentShardIds })),
      missing: [],
      nowMs: surroundings.clock.nowMs(),
      foundAgain: [],
      retire: [],
      unregister: [],
    });
    observe({ type: 'shards', mapping: mapping.name, change: 'found', shards: adopt.map((child) => child.shardId) });
  }
  if (!run.mayBegin()) return true;
  const result = await leases.end(lease.id, owner, lease.epoch);
  if (result === 'written') observe({ type: 'shards', mapping: mapping.name, change: 'ended', shards: [shardId] });
  else run.halt();
  return true;
}
