import type { ShardStatus } from '@wherry/engine/stream/stream-shards';
import { type BlockedReport, isoTime } from './blocked-text.ts';
import type { MappingLeases } from './lease-report.ts';

/** A shard that one poller reads, as it knows it. Names are stable. */
export interface ShardReport {
  readonly shardId: string;
  readonly state: ShardStatus['state'];
  /** As the store will have it next: a sequence number, `TRIM_HORIZON`, `AT_TIMESTAMP:<epoch ms>` or `AT_SEQUENCE_NUMBER:<number>`. */
  readonly checkpoint: string;
  /** How far reading is behind the tip of the shard; null until something was read. */
  readonly behindMs: number | null;
  /** `ParallelizationFactor`. */
  readonly lanes: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly bufferedEvents: number;
  readonly blocked: readonly BlockedReport[];
}

/** A shard that keeps failing. */
export interface BlockedShard extends BlockedReport {
  readonly shardId: string;
}

/** The shards of a stream mapping over the whole fleet. Null is "nobody could say". */
export interface FleetShards {
  /** In the mapping's register. */
  readonly known: number | null;
  /** Read to their end. */
  readonly ended: number | null;
  /** That may be read now, and those of them that some poller has. */
  readonly readable: number;
  readonly held: number;
  /** Whose checkpoint is gone, and whose checkpoint cannot be read: they wait for somebody. */
  readonly lost: number | null;
  readonly damaged: number | null;
  readonly blocked: readonly BlockedShard[];
}

/** One shard of this poller. */
export function shardReport({ blocked, ...shard }: ShardStatus): ShardReport {
  return {
    ...shard,
    blocked: blocked.map(({ lane, reason, attempts, error, sinceMs, nextAtMs }) => {
      return { since: isoTime(sinceMs), lane, attempts, reason, error, nextAttemptAt: isoTime(nextAtMs) };
    }),
  };
}

/**
 * How far a mapping is behind in a shard: how far the reader is, or for how long one of its lanes has been blocked, if that is longer,
 * because what it fails on was read before. 0 at the tip.
 */
export function shardAgeMs({ behindMs, blocked }: Pick<ShardStatus, 'behindMs' | 'blocked'>, nowMs: number): number {
  return Math.max(0, behindMs ?? 0, ...blocked.map(({ sinceMs }) => nowMs - sinceMs));
}

/** The shards of a mapping as the store has them. */
export function shardsOfLeases({ shards, enabled, paused }: MappingLeases): FleetShards {
  const count = (...states: readonly string[]): number => shards.filter(({ state }) => states.includes(state)).length;
  const isStopped = !enabled || paused !== null;
  return {
    known: shards.length,
    ended: count('ended'),
    readable: isStopped ? 0 : count('reading', 'blocked', 'draining', 'ending', 'free'),
    held: shards.filter(({ owner }) => owner !== null).length,
    lost: count('lost'),
    damaged: count('damaged'),
    blocked: shards.flatMap(({ shardId, blocked }) => (blocked === null ? [] : [{ shardId, ...blocked }])),
  };
}

/** The shards of a mapping as its pollers tell them, where the store cannot be asked. */
export function shardsOfPollers(
  parts: readonly { readonly readable: number; readonly held: number; readonly here: readonly ShardReport[] }[],
): FleetShards {
  return {
    known: null,
    ended: null,
    readable: Math.max(0, ...parts.map(({ readable }) => readable)),
    held: Math.max(0, ...parts.map(({ held }) => held)),
    lost: null,
    damaged: null,
    // One line a shard, as the store has it: that of the lane which is blocked longest.
    blocked: parts
      .flatMap(({ here }) => here)
      .flatMap(({ shardId, blocked }) =>
        blocked
          .toSorted(bySince)
          .slice(0, 1)
          .map((lane) => ({ shardId, ...lane })),
      ),
  };
}

function bySince(one: BlockedReport, other: BlockedReport): number {
  return (one.since ?? '').localeCompare(other.since ?? '');
}
