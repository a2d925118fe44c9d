import { collectLeases } from '@wherry/poller/lease-report';
import type { FleetStore } from './fleet-store.ts';
import { ExitCode, type Io } from './io.ts';
import { renderLeases } from './lease-text.ts';
import { namedMapping } from './named-mapping.ts';
import { showRepeatedly, shown, type WatchOptions } from './watch.ts';

/** What `wherry leases` is asked for. */
export interface LeasesOptions extends WatchOptions {
  readonly config: string;
  /** Absent: all mappings of the configuration. */
  readonly mapping?: string;
}

/** `wherry leases`: who has which shard and slot, from Redis alone. @returns 1 where Redis cannot be asked */
export async function leases(io: Io, options: LeasesOptions, stop?: AbortSignal): Promise<number> {
  const { withFleetStore } = await import('./fleet-store.ts');
  return withFleetStore(io, options.config, (store) => showLeases(io, store, options, stop));
}

/** Shows the leases of one mapping or of all. */
export async function showLeases(
  io: Io,
  { config, coordination, file }: Omit<FleetStore, 'redis'>,
  options: LeasesOptions,
  stop?: AbortSignal,
): Promise<number> {
  const mappings = options.mapping === undefined ? [...config.mappings.values()] : [namedMapping(config, options.mapping, file)];
  const show = async (): Promise<number> => {
    const report = await collectLeases(config, coordination, mappings);
    io.stdout.write(shown(report, () => renderLeases(report, Date.now()), io, options));
    return ExitCode.ok;
  };
  return showRepeatedly(options, show, stop);
}
