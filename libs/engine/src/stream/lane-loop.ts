/**
 * One lane of a shard: gathers a batch, carries it to its end, begins again.
 *
 *   gathering ──batch due──▶ carrying (carry-stream-batch.ts) ──checkpoint known good──▶ gathering
 *       └──stop, or the shard has ended and nothing waits──▶ ended
 */
import { EVENT_BYTES_MAX, RECORD_BYTES_MAX } from '@wherry/core/batch';
import { judgeInvocation } from '@wherry/core/stream/stream-verdict';
import type { StreamRecord } from '@wherry/core/stream-source';
import { type LaneCall, carryStreamBatch } from './carry-stream-batch.ts';
import { type CutRules, cutBatch } from './cut-batch.ts';
import { encodeRecords } from './encode-records.ts';
import type { ShardRun } from './shard-run.ts';

const MS_PER_SECOND = 1_000;

/** Runs a lane of a mapping without windows until the run stops or the shard has ended. */
export async function runLane(run: ShardRun, lane: number): Promise<void> {
  const { reportBatchItemFailures } = run.context.mapping;
  const call: LaneCall = {
    encode: encodeRecords,
    judge: (result, sequenceNumbers) => judgeInvocation(result, sequenceNumbers, reportBatchItemFailures),
    beforeSettling: () => Promise.resolve(true),
    commit: () => undefined,
    recordBytesMax: () => RECORD_BYTES_MAX,
    window: () => undefined,
  };
  for (;;) {
    const batch = await gatherLaneBatch(run, lane, { bytes: EVENT_BYTES_MAX, belongs: () => true });
    if (batch === undefined) return;
    if (!(await carryStreamBatch(run, lane, batch, call))) return;
  }
}

/**
 * The next batch of the lane, as soon as it is due.
 * @param rules.bytes what the event may have for its records and their wrapper
 * @returns `undefined` if the run stops, or nothing waits and nothing will come
 */
export async function gatherLaneBatch(
  run: ShardRun,
  lane: number,
  { bytes, belongs }: { readonly bytes: number } & Pick<CutRules, 'belongs'>,
): Promise<readonly StreamRecord[] | undefined> {
  const { context, lanes, bell, stopping } = run;
  const { mapping, surroundings } = context;
  const { clock } = surroundings;
  const limits = { records: mapping.batchSize, bytes, windowMs: mapping.maximumBatchingWindowInSeconds * MS_PER_SECOND };
  while (!stopping.aborted) {
    const count = lanes.waiting(lane);
    if (count === 0) {
      if (run.isEnd) return undefined;
      await bell.wait(LOOK_AGAIN_MS, stopping);
      continue;
    }
    const waiting = { count, peek: (index: number) => lanes.peek(lane, index), sinceMs: lanes.waitingSinceMs(lane) ?? 0 };
    const cut = cutBatch(waiting, {
      limits,
      belongs,
      maximumRecordAgeInSeconds: mapping.maximumRecordAgeInSeconds,
      // What is gathered holds up the others where the reader waits for room, and nothing joins it once the shard has ended.
      isFinal: run.isEnd || lanes.isStalled || run.isStarved,
      monotonicMs: clock.monotonicMs(),
      nowMs: clock.nowMs(),
    });
    if (cut.kind === 'due') return lanes.take(lane, cut.count);
    await bell.wait(cut.ms, stopping);
  }
  return await gatherBehind(run, lane, bytes);
}

/**
 * The next batch of a lane whose run is to stop: what stands before records that other lanes have done. Batches that still run in other
 * lanes may add to that.
 */
async function gatherBehind(run: ShardRun, lane: number, bytes: number): Promise<readonly StreamRecord[] | undefined> {
  const { context, lanes, bell, over } = run;
  const limits = { records: context.mapping.batchSize, bytes, windowMs: 0 };
  for (;;) {
    let count = 0;
    while (count < lanes.waiting(lane) && run.isBehind(lanes.peek(lane, count)!)) count += 1;
    if (count === 0 && run.batches === 0) return undefined;
    if (!run.mayCatchUp) return undefined;
    if (count > 0) {
      const cut = cutBatch(
        { count, peek: (index) => lanes.peek(lane, index), sinceMs: 0 },
        { limits, belongs: () => true, maximumRecordAgeInSeconds: -1, isFinal: true, monotonicMs: 0, nowMs: 0 },
      );
      return cut.kind === 'due' ? lanes.take(lane, cut.count) : undefined;
    }
    await bell.wait(CATCH_UP_LOOK_MS, over);
  }
}

/** Lanes that wait for others at the end of a run are woken by them; the time is for those that end without a word. */
const CATCH_UP_LOOK_MS = 1_000;

/** A lane that has nothing is woken by the reader; it looks around by itself so seldom that this costs nothing. */
const LOOK_AGAIN_MS = 60_000;
