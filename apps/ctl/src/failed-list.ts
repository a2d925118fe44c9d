import { createRedisFailedStore } from '@wherry/leases/redis-failed-store';
import { numberText, plainText, tableLines } from '@wherry/poller/terminal-text';
import { failedQuery, type FailedSelection } from './failed-selection.ts';
import { failedView, type FailedView } from './failed-view.ts';
import { withFleetStore } from './fleet-store.ts';
import { ExitCode, type Io } from './io.ts';

/** The options of `wherry failed list`. */
export interface FailedListOptions extends FailedSelection {
  readonly config: string;
  readonly limit: number;
  readonly json?: boolean;
}

const HEADINGS = ['ID', 'NAME', 'MAPPING', 'FAILED AT', 'CONDITION', 'RECORDS', 'BYTES', 'SHARD'];

/** `wherry failed list`: the batches of the fleet's own store, the oldest first, and how many each destination holds. */
export function failedList(io: Io, options: FailedListOptions): Promise<number> {
  return withFleetStore(io, options.config, async ({ config, redis }) => {
    const store = createRedisFailedStore(redis, { keyPrefix: config.redis.keyPrefix, fleet: config.fleet.id });
    const found = await store.list({ ...failedQuery(config, options), limit: options.limit + 1 });
    const batches = found.slice(0, options.limit).map(failedView);
    const hasMore = found.length > options.limit;
    const destinations = [...(await store.counts())]
      .map(([name, counts]) => ({ name, ...counts }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    io.stdout.write(
      options.json === true ? `${JSON.stringify({ batches, hasMore, destinations }, undefined, 2)}\n` : layout(batches, hasMore),
    );
    return ExitCode.ok;
  });
}

function layout(batches: readonly FailedView[], hasMore: boolean): string {
  if (batches.length === 0) return 'no failed batches\n';
  const more = hasMore ? 'there are more: raise --limit, or narrow the list with a mapping or --name\n' : '';
  return `${tableLines([HEADINGS, ...batches.map(row)]).join('\n')}\n${more}`;
}

function row(batch: FailedView): string[] {
  return [
    batch.id,
    batch.name,
    batch.mapping,
    batch.timestamp.replace(/\.\d+Z$/, 'Z'),
    batch.condition,
    numberText(batch.batchSize),
    numberText(batch.eventBytes),
    batch.shardId,
  ].map(plainText);
}
