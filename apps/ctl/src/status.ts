import { collectFleetReport, type FleetReport } from '@wherry/poller/fleet-status';
import { renderStatus } from '@wherry/poller/render-status';
import { systemClock } from '@wherry/poller/surroundings';
import { createRedis } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import type { WherryConfig } from '@wherry/core/mapping';
import { ExitCode, type Io } from './io.ts';
import { readConfig } from './read-config.ts';

const WATCH_EVERY_MS = 2_000;

/** Moves the cursor to the upper left corner and clears what is below. */
const CLEAR_SCREEN = '\u001B[H\u001B[2J';

/** The options of `wherry status`. */
export interface StatusOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

/**
 * `wherry status`: the fleet as Redis and its pollers tell it. With `--watch` it repeats until the signal aborts; JSON then comes as
 * one line each time.
 *
 * @returns 1 when the configuration is wrong or Redis does not answer
 */
export async function status(io: Io, options: StatusOptions, stop?: AbortSignal): Promise<number> {
  const config = await readConfig(io, options.config);
  if (config === undefined) return ExitCode.failed;
  const fleet = await openFleet(config);
  try {
    for (;;) {
      const report = await fleet.report();
      io.stdout.write(layout(report, io, options));
      if (options.watch === true) await systemClock.sleep(WATCH_EVERY_MS, stop);
      if (options.watch !== true || stop?.aborted === true) return report.redis.up ? ExitCode.ok : ExitCode.failed;
    }
  } finally {
    fleet.close();
  }
}

/** A connection to Redis that is up, or has failed once: after that the report itself says what is wrong. */
async function openFleet(config: WherryConfig): Promise<{ report: () => Promise<FleetReport>; close: () => void }> {
  const tried = Promise.withResolvers<void>();
  const client = createRedis(config.redis, {
    random: Math.random,
    onUp: tried.resolve,
    onDown: () => tried.resolve(),
    connectionName: 'wherry-status',
  });
  await tried.promise;
  const coordination = createRedisCoordination(client, { keyPrefix: config.redis.keyPrefix, fleet: config.fleet.id });
  return {
    report: () => collectFleetReport({ config, coordination, monotonicMs: () => systemClock.monotonicMs() }),
    close: () => client.disconnect(),
  };
}

function layout(report: FleetReport, io: Io, options: StatusOptions): string {
  if (options.json === true) return `${JSON.stringify(report, undefined, options.watch === true ? undefined : 2)}\n`;
  return `${options.watch === true && io.stdout.isTTY === true ? CLEAR_SCREEN : ''}${renderStatus(report)}\n`;
}
