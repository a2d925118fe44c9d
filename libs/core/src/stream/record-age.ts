/**
 * `MaximumRecordAgeInSeconds`: records that are too old are given up. Arrival times grow along a shard, so what has expired is a
 * prefix; a record that is older than the one before it waits for that one.
 *
 * The policy of a batch (`stream-batch.ts`) asks before every invocation. The loop asks too, while a batch that is not full
 * waits for its window: when `expiresAtMs` of its first record has come, it takes the `expiredCount` records out of the open
 * batch and opens a batch of them, which is then given up without an invocation; the others wait on.
 */

/** What is known of a record's age: all that this policy reads. */
export interface Arrival {
  /** `approximateArrivalTimestamp` or `ApproximateCreationDateTime`, epoch milliseconds. */
  readonly arrivedAtMs: number;
}

/**
 * How many records at the head of the list are too old to be invoked.
 * @param maximumRecordAgeInSeconds -1 for no limit
 * @param nowMs wall time, because the source's clock gave the arrival times
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
 */
export function expiredCount(records: readonly Arrival[], maximumRecordAgeInSeconds: number, nowMs: number): number {
  const fresh = records.findIndex((record) => {
    const at = expiresAtMs(record, maximumRecordAgeInSeconds);
    return at === undefined || at > nowMs;
  });
  return fresh === -1 ? records.length : fresh;
}

/** The wall time from which a record is too old, epoch milliseconds; `undefined` if there is no limit. */
export function expiresAtMs(record: Arrival, maximumRecordAgeInSeconds: number): number | undefined {
  return maximumRecordAgeInSeconds < 0 ? undefined : record.arrivedAtMs + maximumRecordAgeInSeconds * 1_000;
}
