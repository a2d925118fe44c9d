import type { Clock } from '@wherry/core/clock';
import type { StreamRecord } from '@wherry/core/stream-source';

/** Filters may hold up everything else in the process for no longer than this at a time. */
const SLICE_MS = 10;
/** Between two looks at the clock. */
const RECORDS_PER_LOOK = 32;

/**
 * Which records of a page match a mapping's filters. A page may have thousands of records, each of which is parsed for that, so others
 * get their turn in between.
 * @returns one verdict per record, in order
 */
export async function filterPage(
  records: readonly StreamRecord[],
  matches: (record: StreamRecord) => boolean,
  clock: Clock,
): Promise<readonly boolean[]> {
  const verdicts: boolean[] = [];
  let begunAtMs = clock.monotonicMs();
  for (const record of records) {
    verdicts.push(matches(record));
    if (verdicts.length % RECORDS_PER_LOOK > 0 || clock.monotonicMs() - begunAtMs < SLICE_MS) continue;
    await clock.sleep(0);
    begunAtMs = clock.monotonicMs();
  }
  return verdicts;
}
