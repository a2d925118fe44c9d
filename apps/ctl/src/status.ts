import { loadConfig } from '@wherry/config/load';
import { collectFleetReport, collectFleetReportFrom, type FleetReport } from '@wherry/poller/fleet-status';
import { renderStatus } from '@wherry/poller/render-status';
import { systemClock } from '@wherry/poller/surroundings';
import { createRedis } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import type { WherryConfig } from '@wherry/core/mapping';
import { givenUrl, TOKEN_VARIABLE, urlOfRefused } from './admin-place.ts';
import { ExitCode, type Io } from './io.ts';
import { showRepeatedly, shown, type WatchOptions } from './watch.ts';

/** The options of `wherry status`. */
export interface StatusOptions extends WatchOptions {
  readonly config: string;
  /** Admin address of any poller; the configuration is then not read. */
  readonly url?: string;
}

/**
 * `wherry status`: the fleet as Redis and its pollers tell it; with `--url`, or where the file is refused, as one poller and its
 * companions tell it. With `--watch` it repeats until the signal aborts; JSON then comes as one line each time.
 *
 * @returns 1 when Redis or the poller that was named does not answer, or nobody is known who could be asked
 */
export async function status(io: Io, options: StatusOptions, stop?: AbortSignal): Promise<number> {
  const fleet = await openView(io, options);
  if (fleet === undefined) return ExitCode.failed;
  try {
    const show = async (): Promise<number> => {
      const report = await fleet.report();
      if (typeof report === 'string') io.stderr.write(`error: ${report}\n`);
      else io.stdout.write(shown(report, () => renderStatus(report, Date.now()), io, options));
      return isUp(report) ? ExitCode.ok : ExitCode.failed;
    };
    return await showRepeatedly(options, show, stop);
  } finally {
    fleet.close();
  }
}

interface FleetView {
  /** A report, or why there is none. */
  readonly report: () => Promise<FleetReport | string>;
  readonly close: () => void;
}

function isUp(report: FleetReport | string): boolean {
  return typeof report !== 'string' && report.redis.up;
}

async function openView(io: Io, options: StatusOptions): Promise<FleetView | undefined> {
  const named = io.env[TOKEN_VARIABLE];
  const token = named === '' ? undefined : named;
  if (options.url !== undefined) return openPoller(givenUrl(options.url).origin, token);
  const result = await loadConfig({ file: options.config, env: io.env });
  if (result.ok) return openFleet(result.config);
  const url = urlOfRefused(io, result, options.config);
  return url === undefined ? undefined : openPoller(url, token ?? result.admin?.bearerTokens[0], 'name another poller with --url');
}

function openPoller(url: string, token: string | undefined, help = 'check the address'): FleetView {
  const report = async (): Promise<FleetReport | string> => {
    const found = await collectFleetReportFrom(url, { token });
    if (typeof found !== 'string') return found;
    return `${found}; ${found.includes(' 401: ') ? `set ${TOKEN_VARIABLE}` : help}`;
  };
  return { report, close: () => {} };
}

/** A connection to Redis that is up, or has failed once: after that the report itself says what is wrong. */
async function openFleet(config: WherryConfig): Promise<FleetView> {
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
