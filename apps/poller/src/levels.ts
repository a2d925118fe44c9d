import type { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FleetStatus } from '@wherry/engine/fleet-status';
import type { Levels } from '@wherry/observe/metrics';
import type { QueueCounts } from './backlog.ts';

type EventLoopDelay = ReturnType<typeof monitorEventLoopDelay>;

/** What `/metrics` reads at each scrape, taken from the fleet's status. */
export function readLevels(status: FleetStatus, backlog: (mapping: string) => QueueCounts | undefined, eventLoop: EventLoopDelay): Levels {
  const held = new Set(status.held.map((lease) => lease.id));
  const limits = new Map(status.mappings.map((mapping) => [mapping.functionName, mapping.gate?.concurrencyLimit]));
  return {
    leasesHeld: status.held.length,
    bufferedBytes: status.bufferedBytes,
    bufferedEvents: status.bufferedEvents,
    backpressure: status.backpressure,
    mappings: status.mappings.map(({ name, uuid, inFlight, slotsDesired }) => {
      const queue = backlog(name);
      return {
        mapping: name,
        inFlight,
        ...(queue === undefined ? {} : { queue }),
        ...(held.has(`sqs-${uuid}-0`) ? { desiredPollers: slotsDesired } : {}),
      };
    }),
    functions: [...limits].flatMap(([name, limit]) => (limit === undefined ? [] : [{ function: name, concurrencyLimit: limit }])),
    eventLoopDelay: readDelay(eventLoop),
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
