/**
 * The one lane of a shard whose mapping has `TumblingWindowInSeconds`.
 *
 *   idle ──record──▶ gathering a batch of the window ──▶ carried, the state goes along ──▶ next batch of the window
 *     ▲                                                     └─ state too large: its early last call, then on with {}
 *     │                                                                      │ a later record, the end of the shard, or quiet for long
 *     └──────────── window cleared, written ◀── last call, without records ◀─┘
 *
 * What the function returned becomes the window's state at once, and is written with the checkpoint of the records it stands for.
 */
import { EVENT_BYTES_MAX, RECORD_BYTES_MAX } from '@wherry/core/batch';
import {
  type OpenWindow,
  type WindowCall,
  batchCall,
  belongsTo,
  carryState,
  finalCall,
  nextWindowStep,
  readWindow,
  writeWindow,
} from '@wherry/core/stream/tumbling-window';
import { judgeInvocation } from '@wherry/core/stream/stream-verdict';
import { judgeWindowCall } from '@wherry/core/stream/window-answer';
import { encodeWindowEvent, windowBytes } from '@wherry/core/stream/window-event';
import { type LaneCall, carryStreamBatch } from './carry-stream-batch.ts';
import { gatherLaneBatch } from './lane-loop.ts';
import type { ShardRun } from './shard-run.ts';

const LANE = 0;
const MS_PER_SECOND = 1_000;
/** The lane is woken by each page; between them time alone changes nothing. */
const LOOK_AGAIN_MS = 60_000;

/** Runs the lane until the run stops, or the shard has ended and its last window is closed. */
export async function runWindowLane(run: ShardRun): Promise<void> {
  const windowMs = run.context.mapping.tumblingWindowInSeconds * MS_PER_SECOND;
  const lane = new WindowLane(run, storedWindow(run));
  while (!run.stopping.aborted) {
    const shard = { firstArrivedAtMs: run.lanes.peek(LANE, 0)?.arrivedAtMs, isEnd: run.isEnd, quiet: run.quiet };
    const step = nextWindowStep(lane.open, shard, windowMs);
    switch (step.kind) {
      case 'wait':
        if (run.isEnd) return;
        await run.bell.wait(LOOK_AGAIN_MS, run.stopping);
        break;
      case 'batch':
        if (!(await lane.carryBatch(step.window))) return;
        break;
      case 'finish':
        if (!(await lane.finish(step.window))) return;
        break;
    }
  }
}

/**
 * A window that is stored with the checkpoint of a mapping that has no windows any more: it gets its last call before anything else. Its
 * answer needs no state, because the function need not know of windows any more either.
 */
export async function closeLeftOverWindow(run: ShardRun): Promise<void> {
  if (run.context.mapping.tumblingWindowInSeconds > 0) return;
  const open = storedWindow(run);
  if (open !== undefined) await new WindowLane(run, open).finish(open);
}

/** The open window that came with the lease. What cannot be read is told and dropped: what was summed up is lost, no record is. */
function storedWindow(run: ShardRun): OpenWindow | undefined {
  const { lease, context, shardId } = run;
  const stored = readWindow(lease.window);
  if (stored.kind === 'open') return stored.window;
  if (stored.kind === 'damaged') {
    context.observe({ type: 'shards', mapping: context.mapping.name, change: 'windowLost', shards: [shardId] });
    run.keepWindow('');
  }
  return undefined;
}

class WindowLane {
  readonly #run: ShardRun;
  #open: OpenWindow | undefined;
  /** An early last call that has to be made before the batch goes on. */
  #early: WindowCall | undefined;

  constructor(run: ShardRun, open: OpenWindow | undefined) {
    this.#run = run;
    this.#open = open;
  }

  get open(): OpenWindow | undefined {
    return this.#open;
  }

  /** Gathers and carries the next batch of the window. @returns false if the run stops */
  async carryBatch(window: OpenWindow): Promise<boolean> {
    this.#open = window;
    const bytes = EVENT_BYTES_MAX - windowBytes(this.#source, batchCall(window));
    const belongs = ({ arrivedAtMs }: { readonly arrivedAtMs: number }): boolean => belongsTo(window, arrivedAtMs);
    const batch = await gatherLaneBatch(this.#run, LANE, { bytes, belongs });
    if (batch === undefined) return false;
    return await carryStreamBatch(
      this.#run,
      LANE,
      batch,
      this.#call(() => batchCall(this.#open ?? window)),
    );
  }

  /** Makes the window's last call, and writes that it is over. @returns false if the run stops */
  async finish(window: OpenWindow): Promise<boolean> {
    if (!(await this.#callWithoutRecords(finalCall(window)))) return false;
    this.#open = undefined;
    this.#run.keepWindow(writeWindow(undefined));
    return await this.#run.writer.cover();
  }

  async #callWithoutRecords(call: WindowCall): Promise<boolean> {
    return await carryStreamBatch(
      this.#run,
      LANE,
      [],
      this.#call(() => call),
    );
  }

  get #source() {
    const { context, shardId } = this.#run;
    return { shardId, eventSourceARN: context.source.eventSourceArn ?? context.mapping.eventSourceArn };
  }

  /** Invocations of this window. @param now what goes along with the next one; it changes while a batch is carried part by part */
  #call(now: () => WindowCall): LaneCall {
    const { reportBatchItemFailures } = this.#run.context.mapping;
    return {
      encode: (records) =>
        encodeWindowEvent(
          records.map((record) => record.recordJson),
          this.#source,
          now(),
        ),
      judge: (result, sequenceNumbers) => {
        const call = now();
        if (this.#run.context.mapping.tumblingWindowInSeconds === 0) return judgeInvocation(result, sequenceNumbers, false);
        const { verdict, state } = judgeWindowCall(result, sequenceNumbers, reportBatchItemFailures);
        if (state === undefined || call.isFinalInvokeForWindow) return verdict;
        const carried = carryState(call, state);
        if (carried.kind === 'tooLarge') this.#early = carried.call;
        this.#open = carried.window;
        return verdict;
      },
      beforeSettling: async () => {
        const early = this.#early;
        this.#early = undefined;
        return early === undefined || (await this.#callWithoutRecords(early));
      },
      commit: () => this.#run.keepWindow(writeWindow(this.#open)),
      recordBytesMax: () => RECORD_BYTES_MAX - windowBytes(this.#source, now()),
      window: now,
    };
  }
}
