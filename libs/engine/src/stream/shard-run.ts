/**
 * One shard of a mapping under one lease: a reader and one loop per lane, and what they share.
 *
 *                 no checkpoint ──▶ ended (the lease is given back; discovery decides)
 *                 damaged       ──▶ waits until the lease ends; a person decides
 *   taken over ───┤
 *                 └─▶ a window that is left over from other settings is closed
 *                      │
 *                      ▼
 *                   reading ──end of shard──▶ emptying ──lanes and window done──▶ ending (finish-shard.ts) ──▶ ended
 *                      │                         │                                   │
 *                      └──yield, retire, drain───┴───────────────────────────────────┴──▶ draining: invocations that run are
 *                      │                                  settled and checkpointed, lanes that are behind catch up with those
 *                      │                                  that are ahead, everything else that was read is dropped ──▶ ended
 *                      └──lost, fenced, lease not valid, kill──▶ halted: nothing more is written ──▶ ended
 */
import type { HeldLease } from '@wherry/core/coordination';
import { ShardLanes, readAheadLimits } from '@wherry/core/stream/lanes';
import type { QuietRun } from '@wherry/core/stream/tumbling-window';
import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import { type StoredPosition, readPosition } from '@wherry/core/stream/stored-position';
import type { StreamRecord, StreamShard } from '@wherry/core/stream-source';
import { Bell } from '../bell.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { finishShard } from './finish-shard.ts';
import { runLane } from './lane-loop.ts';
import { ShardMemory } from './shard-memory.ts';
import { ShardNotice } from './shard-notice.ts';
import { runShardReader } from './shard-reader-loop.ts';
import type { StreamContext } from './stream-context.ts';
import { closeLeftOverWindow, runWindowLane } from './window-lane.ts';

/**
 * For how long after a run was told to stop its lanes begin invocations to catch up with one another. Inferred: long enough for what
 * lanes usually are apart, and short beside the time that a container is given to end.
 */
const CATCH_UP_MS = 20_000;

/** What the loops of one shard share. */
export class ShardRun {
  readonly context: StreamContext;
  readonly lease: HeldLease;
  readonly shardId: string;
  /** Where reading began. */
  readonly stored: StoredPosition;
  readonly lanes: ShardLanes;
  readonly memory: ShardMemory;
  readonly notice: ShardNotice;
  readonly writer: CheckpointWriter;
  /** Rings when a page was dealt, records became terminal, or the reader came to a stop: loops that wait look again. */
  readonly bell: Bell;
  /** Aborts when the run has to end for any reason. Waits end with it. */
  readonly stopping: AbortSignal;
  /** Aborts when nothing more may be written under the lease. */
  readonly over: AbortSignal;
  readonly #halted = new AbortController();
  #stoppedAtMs = Infinity;
  /** A lane has left a batch unfinished, so that what others did behind it comes again anyhow. */
  #isBrokenOff = false;
  /** The highest of the records that are terminal. */
  #highestDone: string | undefined;
  readonly #storedText: string;
  #windowText: string;
  /** Records that were dealt to lanes, or passed because they are filtered out. */
  #counted = 0;
  /** The shard is closed and was read to its end. */
  isEnd = false;
  childShards: readonly StreamShard[] | undefined;
  /** The reader can bring nothing more until there is memory for a page: nobody should wait for it with half a batch. */
  isStarved = false;
  /** Reads in a row that found nothing, for windows. */
  quiet: QuietRun | undefined;
  /** Invocations in flight, and batches that lanes have in hand. */
  invocations = 0;
  batches = 0;

  constructor(context: StreamContext, lease: HeldLease, shardId: string, retired: AbortSignal, position: StoredPosition) {
    const { surroundings, mapping, leases, owner, observe, kill } = context;
    this.context = context;
    this.lease = lease;
    this.shardId = shardId;
    this.stored = position;
    this.#storedText = lease.checkpoint ?? '';
    this.#windowText = lease.window;
    this.over = AbortSignal.any([kill, lease.lost, this.#halted.signal]);
    this.stopping = AbortSignal.any([this.over, lease.yielded, retired]);
    const { clock } = surroundings;
    this.stopping.addEventListener('abort', () => (this.#stoppedAtMs = clock.monotonicMs()), { once: true });
    this.bell = new Bell(surroundings.clock);
    const factor = mapping.parallelizationFactor;
    this.lanes = new ShardLanes(factor, readAheadLimits(mapping.batchSize, factor));
    this.memory = new ShardMemory(context.bytes);
    const shard = {
      clock: surroundings.clock,
      surroundings,
      leases,
      owner,
      lease,
      mapping: mapping.name,
      shardId,
      observe,
      over: this.over,
    };
    this.notice = new ShardNotice(shard);
    this.writer = new CheckpointWriter({
      ...shard,
      stored: { checkpoint: this.#storedText, window: lease.window },
      progress: () => ({ checkpoint: this.checkpoint, window: this.#windowText, events: this.#counted - this.lanes.heldRecords }),
      halt: () => this.halt(),
    });
  }

  /** How far the shard is done, as its lease would say it. */
  get checkpoint(): string {
    return this.lanes.watermark ?? this.#storedText;
  }

  /** The lease is not ours any more, or a loop has failed: everything ends, and nothing more is written. */
  halt(): void {
    this.#halted.abort();
  }

  /** So many records more were dealt to lanes or passed. */
  count(records: number): void {
    this.#counted += records;
  }

  /** The window that fits the position from now on; goes out with the next write. @param text of `writeWindow` */
  keepWindow(text: string): void {
    this.#windowText = text;
  }

  /** The lane's oldest records are terminal. */
  done(lane: number, records: readonly StreamRecord[]): void {
    this.lanes.finish(lane, records.length);
    this.memory.done(records);
    const last = records.at(-1)?.sequenceNumber;
    if (last !== undefined && (this.#highestDone === undefined || compareSequenceNumbers(last, this.#highestDone) > 0))
      this.#highestDone = last;
  }

  /** A lane leaves its batch, though not all of it is terminal. */
  breakOff(): void {
    this.#isBrokenOff = true;
  }

  /**
   * Whether a record stands before one that is terminal: then it holds up the position, and what other lanes have done behind it would
   * come again.
   */
  isBehind({ sequenceNumber }: StreamRecord): boolean {
    return this.#highestDone !== undefined && compareSequenceNumbers(sequenceNumber, this.#highestDone) <= 0;
  }

  /**
   * Whether lanes that are behind may still catch up, now that the run is to stop: unless it would be for nothing, or the next owner
   * would wait for long.
   */
  get mayCatchUp(): boolean {
    const { clock } = this.context.surroundings;
    return !this.over.aborted && !this.#isBrokenOff && clock.monotonicMs() - this.#stoppedAtMs < CATCH_UP_MS && this.lease.isValid();
  }

  /** Whether these records may be invoked: any, until the run is to stop, and then those that are behind. */
  mayInvoke(records: readonly StreamRecord[]): boolean {
    if (!this.stopping.aborted) return this.mayBegin();
    const [first] = records;
    return first !== undefined && this.isBehind(first) && this.mayCatchUp;
  }

  /** Whether something may still be begun under the lease. What finds out that it is not valid ends the run. */
  mayBegin(): boolean {
    if (this.stopping.aborted) return false;
    if (this.lease.isValid()) return true;
    this.halt();
    return false;
  }
}

/**
 * Works on the shard until its lease is yielded or lost, the mapping is retired, the shard has ended, or the process is killed.
 * Throws on programming errors alone, after everything that the run held is off the account.
 */
export async function runShard(
  context: StreamContext,
  lease: HeldLease,
  shardId: string,
  retired: AbortSignal,
  began: (run: ShardRun) => void,
): Promise<void> {
  if (lease.checkpoint === undefined) return;
  const position = readPosition(lease.checkpoint);
  const run = new ShardRun(context, lease, shardId, retired, position ?? { kind: 'TRIM_HORIZON' });
  began(run);
  if (position === undefined) return await waitDamaged(run);
  context.troubles.enter(shardId);
  try {
    await work(run);
  } finally {
    context.troubles.leave(shardId);
    run.memory.dropAll();
  }
}

/** Nothing is read from a position that cannot be read: any guess could skip records. */
async function waitDamaged(run: ShardRun): Promise<void> {
  const { context, shardId, notice, stopping } = run;
  context.observe({ type: 'shards', mapping: context.mapping.name, change: 'damaged', shards: [shardId] });
  notice.enter('damaged');
  await aborted(stopping);
}

async function work(run: ShardRun): Promise<void> {
  const crashes: unknown[] = [];
  const guarded = async (loop: Promise<unknown>): Promise<void> => {
    try {
      await loop;
    } catch (error) {
      crashes.push(error);
      run.halt();
    }
  };
  await guarded(closeLeftOverWindow(run));
  const hasWindows = run.context.mapping.tumblingWindowInSeconds > 0;
  const lanes = Array.from({ length: run.lanes.parallelizationFactor }, (_, lane) => lane);
  const tellDraining = (): void => {
    if (run.invocations > 0 && !run.over.aborted) run.notice.enter('draining');
  };
  run.stopping.addEventListener('abort', tellDraining, { once: true });
  await Promise.all([guarded(runShardReader(run)), ...lanes.map((lane) => guarded(hasWindows ? runWindowLane(run) : runLane(run, lane)))]);
  // What was filtered out at last, or is done while an older record was not.
  if (!run.over.aborted) await guarded(run.writer.cover());
  if (run.mayBegin() && run.isEnd && run.lanes.isEmpty) await guarded(finishShard(run));
  run.stopping.removeEventListener('abort', tellDraining);
  if (crashes.length > 0) throw crashes[0];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
