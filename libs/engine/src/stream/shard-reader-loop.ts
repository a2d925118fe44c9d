/**
 * Reads one shard onwards and deals its records to the lanes.
 *
 *   pacing ──time──▶ holding back ──lanes have room, target may be called──▶ waiting for memory ──▶ reading ─┬─ page ──▶ dealing ──▶ pacing
 *     ▲                                                                                                     ├─ expired ──▶ opened anew
 *     └──────────────────────────────── a fault: told, a longer pause ◀─────────────────────────────────────┘
 *
 * While the target is shut, or batches of the mapping wait for their turn, a shard that holds records reads no more of them. One that
 * holds none does, so that a probe has something to go out with.
 */
import type { Clock } from '@wherry/core/clock';
import { SourceError } from '@wherry/core/source-error';
import { type PollPace, firstPace, isIdle, nextReadAtMs, paceAfterFault, paceAfterPage } from '@wherry/core/stream/poll-pace';
import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import { firstLoad, loadAfter } from '@wherry/core/stream/shard-load';
import { type ShardOpening, openingAfterExpired, openingOf } from '@wherry/core/stream/shard-opening';
import { readPosition } from '@wherry/core/stream/stored-position';
import { quietAfter } from '@wherry/core/stream/tumbling-window';
import type { ShardPage, ShardReader, StreamRecord } from '@wherry/core/stream-source';
import type { ByteReservation } from '../byte-budget.ts';
import { UNWRITTEN_MS_MAX } from './checkpoint-writer.ts';
import type { ShardRun } from './shard-run.ts';

/** Most records of one answer: 10,000 of Kinesis, 1,000 of DynamoDB Streams. */
const PAGE_RECORDS = { kinesis: 10_000, dynamodb: 1_000 } as const;
/**
 * What is asked for when the shard is not known to be behind: room is set aside for all of it, and many quiet shards would keep it from
 * one another. A page that comes back full is followed by a large one at once.
 */
const CALM_PAGE_RECORDS = 1_000;
const IDLE_PAGE_RECORDS = 100;
/** Whoever waits to read looks around at least so often: what it waits for may change without a ring, as the clock does. */
const LOOK_AGAIN_MS = 1_000;

/** Reads until the run stops or the shard ends. */
export async function runShardReader(run: ShardRun): Promise<void> {
  const reading = new Reading(run);
  try {
    while (!run.isEnd && run.mayBegin()) await reading.turn();
  } finally {
    reading.end();
  }
}

class Reading {
  readonly #run: ShardRun;
  readonly #clock: Clock;
  readonly #sayIdle: (isIdle: boolean) => void;
  #opening: ShardOpening;
  #reader: ShardReader;
  #pace: PollPace;
  #load: ReturnType<typeof firstLoad>;
  /** The last record that was returned. */
  #lastNumber: string | undefined;
  /** Records up to this one were returned before the reader was opened anew. */
  #skipThrough: string | undefined;

  constructor(run: ShardRun) {
    const { surroundings, mapping, source, rates, idleShards } = run.context;
    this.#run = run;
    this.#clock = surroundings.clock;
    const situation = { source: mapping.source, isFirstOwner: run.lease.epoch === 1, nowMs: this.#clock.nowMs() };
    this.#opening = openingOf(run.stored, situation);
    this.#reader = source.openReader(run.shardId, this.#opening.position);
    this.#pace = firstPace(rates, this.#clock.monotonicMs(), idleShards.count, surroundings.random);
    this.#load = firstLoad(this.#clock.monotonicMs());
    this.#sayIdle = idleShards.voice();
    this.#sayIdle(isIdle(this.#pace, rates));
  }

  /** Waits until it is time and there is room, and reads one page. */
  async turn(): Promise<void> {
    const { context, stopping, writer } = this.#run;
    const waitMs = nextReadAtMs(this.#pace, context.rates, context.idleShards.count) - this.#clock.monotonicMs();
    if (waitMs > 0) await this.#clock.sleep(waitMs, stopping);
    if (writer.isOverdue) await writer.cover();
    await this.#holdBack();
    await this.#waitForPush();
    const room = stopping.aborted ? undefined : await this.#reserve();
    if (room === undefined) return;
    if (!this.#run.mayBegin()) return room.cancel();
    await this.#read(room);
  }

  end(): void {
    this.#sayIdle(false);
    this.#reader.close?.();
  }

  /** Until there is use in reading: the lanes have room, and what they hold could be invoked. */
  async #holdBack(): Promise<void> {
    const { context, lanes, stopping, bell } = this.#run;
    while (!stopping.aborted && (lanes.isStalled || (!lanes.isEmpty && !context.desk.mayFetch()))) {
      await bell.wait(LOOK_AGAIN_MS, stopping);
    }
  }

  /** Where the source pushes: until a read brings something. A position that nobody waits for is written meanwhile. */
  async #waitForPush(): Promise<void> {
    const { stopping, writer } = this.#run;
    const pushed = this.#reader.wait?.(stopping);
    if (pushed === undefined) return;
    if (writer.isBehind) {
      await Promise.race([pushed, this.#clock.sleep(UNWRITTEN_MS_MAX, stopping)]);
      if (writer.isOverdue) await writer.cover();
    }
    await pushed;
  }

  async #reserve(): Promise<ByteReservation | undefined> {
    const run = this.#run;
    const wanted = run.lanes.recordsToRead(this.#pageRecords());
    const now = run.memory.tryReserve(wanted);
    if (now !== undefined) return now;
    run.isStarved = true;
    run.bell.ring();
    const room = await run.memory.reserve(wanted, run.stopping);
    run.isStarved = false;
    return room;
  }

  #pageRecords(): number {
    const { mapping, rates } = this.#run.context;
    const most = PAGE_RECORDS[mapping.source];
    if (this.#pace.isBehind) return most;
    return Math.min(most, isIdle(this.#pace, rates) ? IDLE_PAGE_RECORDS : CALM_PAGE_RECORDS);
  }

  async #read(room: ByteReservation): Promise<void> {
    const { context, shardId, memory, stopping } = this.#run;
    const { surroundings, rates, troubles, mapping, observe } = context;
    const sentAtMs = this.#clock.monotonicMs();
    const sentAtWallMs = this.#clock.nowMs();
    const tell = (outcome: 'events' | 'empty' | 'throttled' | 'error', events: number, bytes: number): void => {
      const durationMs = this.#clock.monotonicMs() - sentAtMs;
      observe({ type: 'polled', mapping: mapping.name, outcome, events, bytes, durationMs });
    };
    let page: ShardPage;
    try {
      page = await this.#reader.read(room.messages, stopping);
    } catch (error) {
      room.cancel();
      if (stopping.aborted) return;
      if (!(error instanceof SourceError)) throw error;
      tell(error.code === 'throttled' ? 'throttled' : 'error', 0, 0);
      this.#pace = paceAfterFault(this.#pace, { code: error.code, sentAtMs, nowMs: this.#clock.monotonicMs() }, surroundings.random);
      if (error.code === 'expired') this.#openAnew();
      else troubles.failed(shardId, error);
      return;
    }
    const bytes = memory.arrived(room, page.records);
    troubles.worked(shardId);
    tell(page.records.length > 0 ? 'events' : 'empty', page.records.length, bytes);
    this.#pace = paceAfterPage(this.#pace, rates, { page, maxRecords: room.messages, sentAtMs }, surroundings.random);
    this.#sayIdle(isIdle(this.#pace, rates));
    this.#weigh(bytes);
    this.#tellAge(page);
    await this.#deal(page, sentAtWallMs);
  }

  /** What stood at the reader's position is trimmed, or nobody knows any more where it stood. */
  #openAnew(): void {
    const { context, shardId, stored, lanes } = this.#run;
    const { mapping, source, observe } = context;
    const position = lanes.watermark === undefined ? stored : (readPosition(lanes.watermark) ?? stored);
    const { mayHaveLost, ...opening } = openingAfterExpired(position, this.#lastNumber !== undefined, mapping.source);
    if (mayHaveLost) observe({ type: 'shards', mapping: mapping.name, change: 'trimmed', shards: [shardId] });
    this.#skipThrough = this.#lastNumber ?? (position.kind === 'AFTER_SEQUENCE_NUMBER' ? position.sequenceNumber : undefined);
    this.#opening = opening;
    this.#reader.close?.();
    this.#reader = source.openReader(shardId, opening.position);
  }

  /** Deals the page to the lanes, all of it at once, so that no lane takes the first part of it for a batch of its own. */
  async #deal(page: ShardPage, sentAtMs: number): Promise<void> {
    const run = this.#run;
    const { mapping, matches, observe, filterTurns } = run.context;
    const records = this.#relevant(page.records);
    const verdicts = matches === undefined ? undefined : await filterTurns.filter(records, matches);
    // Dropped with all the rest that was only read.
    if (run.stopping.aborted) return;
    const nowMs = this.#clock.monotonicMs();
    const passed: StreamRecord[] = [];
    for (const [index, record] of records.entries()) {
      if (verdicts === undefined || verdicts[index] === true) run.lanes.push(record, nowMs);
      else {
        run.lanes.pass(record);
        passed.push(record);
      }
    }
    run.count(records.length);
    if (passed.length > 0) observe({ type: 'filtered', mapping: mapping.name, events: passed.length });
    run.quiet = quietAfter(run.quiet, page, sentAtMs);
    run.childShards = page.childShards;
    run.isEnd = page.isEnd;
    run.memory.done(passed);
    run.bell.ring();
  }

  /** Without those that arrived before reading was to begin, and those that were read before the reader was opened anew. */
  #relevant(records: readonly StreamRecord[]): readonly StreamRecord[] {
    const { leaveOutBeforeMs } = this.#opening;
    const skipThrough = this.#skipThrough;
    this.#lastNumber = records.at(-1)?.sequenceNumber ?? this.#lastNumber;
    if (leaveOutBeforeMs === undefined && skipThrough === undefined) return records;
    const isRelevant = ({ arrivedAtMs, sequenceNumber }: StreamRecord): boolean =>
      (leaveOutBeforeMs === undefined || arrivedAtMs >= leaveOutBeforeMs) &&
      (skipThrough === undefined || compareSequenceNumbers(sequenceNumber, skipThrough) > 0);
    const first = records.findIndex(isRelevant);
    const leftOut = first === -1 ? records : records.slice(0, first);
    this.#run.memory.done(leftOut);
    if (first === -1) return [];
    // From the first on that counts, all do.
    this.#opening = { position: this.#opening.position };
    this.#skipThrough = undefined;
    return records.slice(first);
  }

  #weigh(bytes: number): void {
    this.#load = loadAfter(this.#load, bytes, this.#clock.monotonicMs());
    if (this.#load.weight !== undefined) this.#run.lease.weigh(this.#load.weight);
  }

  #tellAge(page: ShardPage): void {
    const { context, shardId, notice } = this.#run;
    const last = page.records.at(-1);
    const ageMs = page.behindMs ?? (last === undefined ? 0 : Math.max(0, this.#clock.nowMs() - last.arrivedAtMs));
    notice.behind(page.behindMs ?? (last === undefined ? 0 : ageMs));
    context.observe({ type: 'iteratorAge', mapping: context.mapping.name, shard: shardId, ageMs });
  }
}
