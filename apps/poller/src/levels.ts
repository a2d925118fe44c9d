import type { monitorEventLoopDelay } from 'node:perf_hooks';
import { discoveryUnitId } from '@wherry/core/lease-unit';
import type { FleetStatus, MappingStatus } from '@wherry/engine/fleet-status';
import type { Levels, StreamLevels } from '@wherry/observe/metrics';
import type { QueueCounts } from './backlog.ts';
import { shardAgeMs } from './shard-report.ts';

type EventLoopDelay = ReturnType<typeof monitorEventLoopDelay>;

/** What `/metrics` reads at each scrape, taken from the fleet's status. @param nowMs wall clock, epoch milliseconds */
export function readLevels(
  status: FleetStatus,
  backlog: (mapping: string) => QueueCounts | undefined,
  eventLoop: EventLoopDelay,
  nowMs: number,
): Levels {
  const held = new Set(status.held.map((lease) => lease.id));
  const limits = new Map(status.mappings.map((mapping) => [mapping.functionName, mapping.gate?.concurrencyLimit]));
  return {
    leasesHeld: status.held.length,
    bufferedBytes: status.bufferedBytes,
    bufferedEvents: status.bufferedEvents,
    backpressure: status.backpressure,
    mappings: status.mappings.map((mapping) => {
      const { name, uuid, inFlight, slotsDesired } = mapping;
      const queue = backlog(name);
      const stream = streamLevels(mapping, held.has(discoveryUnitId(uuid)), nowMs);
      return {
        mapping: name,
        inFlight,
        ...(queue === undefined ? {} : { queue }),
        ...(stream === undefined ? {} : { stream }),
        ...(held.has(`sqs-${uuid}-0`) ? { desiredPollers: slotsDesired } : {}),
      };
    }),
    functions: [...limits].flatMap(([name, limit]) => (limit === undefined ? [] : [{ function: name, concurrencyLimit: limit }])),
    eventLoopDelay: readDelay(eventLoop),
  };
}

/** The shards of a mapping; those that this poller does not read are told by the one poller that lists the stream. */
function streamLevels({ shards }: MappingStatus, isLister: boolean, nowMs: number): StreamLevels | undefined {
  if (shards === null) return undefined;
  const { known, ended, readable, held, here } = shards;
  return {
    shards: here.map((shard) => ({ shard: shard.shardId, isBlocked: shard.blocked.length > 0, ageMs: shardAgeMs(shard, nowMs) })),
    ...(isLister
      ? { fleet: { waiting: Math.max(0, readable - held), pending: Math.max(0, known - ended - readable), finished: ended } }
      : {}),
  };
}

/** Quantiles of the event loop's delay since the last reading, in seconds. */
function readDelay(eventLoop: EventLoopDelay): Record<string, number> {
  const delay = {
    '0.5': seconds(eventLoop.percentile(50)),
    '0.99': seconds(eventLoop.percentile(99)),
    '1': eventLoop.count === 0 ? 0 : seconds(eventLoop.max),
  };
  eventLoop.reset();
  return delay;
}

/** An empty histogram answers NaN or its largest number. */
function seconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0;
}
