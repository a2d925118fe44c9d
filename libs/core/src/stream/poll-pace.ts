/**
 * How often a shard is read, as pure data per shard. The reader of a shard does this:
 *
 *     let pace = firstPace(rates, clock.monotonicMs(), idleShards, random);
 *     for (;;) {
 *       // sleep until nextReadAtMs(pace, rates, idleShards); wait for room (ShardLanes.recordsToRead) and for an open gate
 *       const sentAtMs = clock.monotonicMs();
 *       try { page = await reader.read(maxRecords, signal); pace = paceAfterPage(pace, rates, { page, maxRecords, sentAtMs }, random); }
 *       catch (error) { pace = paceAfterFault(pace, { code, sentAtMs, nowMs: clock.monotonicMs() }, random); }
 *     }
 *
 * `idleShards` is how many shards of this process have a pace for which `isIdle` holds; it is asked for anew at every read, so that a
 * poller slows down and speeds up as it gets and gives away leases. All times are of the monotonic clock.
 *
 * - A shard that is behind is read again at once: as fast as its source allows.
 * - A shard that brought records a moment ago is read often, because more will come. With each empty page the pause doubles.
 * - An idle shard is read at the base rate, and more slowly by a poller that holds many of them.
 * - A throttle means that others read the shard too: the rate at which reads may be sent is halved, and grows again with time while all
 *   goes well. Readers of one shard that all do so come to share what it allows evenly. What makes it even is that the rate grows by
 *   the clock and not with each read, and that distances vary a little: readers in step can shut one another out for ever.
 */
import { backoffMs } from '../backoff.ts';
import type { Random } from '../clock.ts';
import type { StreamMapping } from '../mapping.ts';
import type { FaultCode } from '../source-error.ts';
import { FAULT_PAUSES } from '../source-fault.ts';
import type { ShardPage } from '../stream-source.ts';

/** Rates of one kind of stream. */
export interface PollRates {
  /** Pause between reads of an idle shard. */
  readonly baseMs: number;
  /** Pause after a page that brought records. */
  readonly hotMs: number;
  /** Least distance between the beginnings of two reads, however far behind the shard is. 0 where reads cost nothing. */
  readonly leastMs: number;
  /** What a shard gives out; `undefined` where no limit is known. */
  readonly bytesPerSecond: number | undefined;
  /** A page whose records' texts come to this many bytes may have been cut off by the source's own limit, so that more is waiting. */
  readonly fullPageBytes: number;
}

/**
 * Lambda reads a shard once a second. A shard answers 5 reads and 2 MiB a second, whoever asks, and 10 MiB at a time. Pauses of
 * 200 to 250 ms are what AWS suggests to its own client library for low latency.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
 * @see https://docs.aws.amazon.com/streams/latest/dev/kinesis-low-latency.html
 */
export const KINESIS_RATES: PollRates = {
  baseMs: 1_000,
  hotMs: 225,
  leastMs: 200,
  bytesPerSecond: 2_097_152,
  fullPageBytes: 12_000_000,
};

/**
 * Lambda reads a shard four times a second; a page holds up to 1 MB. No limit of reads is documented, only that no more than two
 * readers should share a shard: the least distance is inferred.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
 */
export const DYNAMODB_RATES: PollRates = { baseMs: 250, hotMs: 225, leastMs: 100, bytesPerSecond: undefined, fullPageBytes: 900_000 };

/**
 * Enhanced fan-out pushes records, and a read takes what has come: there is nothing to pace, and an idle shard costs no reads. Only a
 * failure leads to a pause, a refused subscription too.
 */
export const PUSH_RATES: PollRates = { baseMs: 0, hotMs: 0, leastMs: 0, bytesPerSecond: undefined, fullPageBytes: Infinity };

/** The rates at which a mapping's shards are read. */
export function ratesOf({ source, consumer }: Pick<StreamMapping, 'source' | 'consumer'>): PollRates {
  if (consumer.kind === 'enhanced-fan-out') return PUSH_RATES;
  return source === 'kinesis' ? KINESIS_RATES : DYNAMODB_RATES;
}

/** Reads of idle shards a second that a poller is content with. Inferred: some 3 % of a core. */
export const IDLE_READS_PER_SECOND = 250;
/** No idle shard waits longer, however many there are: it is the most that a first record waits. Inferred. */
export const IDLE_PAUSE_MAX_MS = 10_000;

/**
 * How the rate of reads follows throttles: the part that is left after one, what comes back per second, and what always remains. All
 * inferred; chosen in simulations of two to eight greedy readers at three kinds of limiters, where each gets its share and 1 % (two
 * readers) to 6 % (five) of the reads are refused.
 */
const RATE_KEPT = 0.5;
const RATE_GAINED_PER_SECOND = 0.02;
const RATE_LEAST = 0.5;
/** By which part distances vary, upwards only, so that no rate is exceeded; and pauses, around their length. */
const SPREAD = 0.2;

/** A record's text holds the payload in base64 and about as much else. What is counted too low here, a throttle corrects. */
const ENVELOPE_BYTES = 500;
const BYTES_PER_BASE64_CHARACTER = 0.75;

/** As many empty pages as make every pause the longest. */
const EMPTY_PAGES_MAX = 30;

/** When a shard was read, and how that went. */
export interface PollPace {
  /** No read before this, for reasons of its own: the first read's place in the round, a backoff, or the bytes of the last page. */
  readonly notBeforeMs: number;
  /** When the last read was sent. */
  readonly sentAtMs: number;
  /** Reads a second that may be sent, however much is waiting. */
  readonly readsPerSecond: number;
  /** By how much the next read is out of step, from 0 to 1: shards of one poller, and readers of one shard, drift apart by it. */
  readonly drift: number;
  /** Records are known to wait. */
  readonly isBehind: boolean;
  /** Empty pages in a row; many in the beginning, when nothing is known to be there. */
  readonly emptyPages: number;
  /** Failed reads in a row, throttles aside. */
  readonly failures: number;
}

/** A shard that was just taken over. First reads are spread over one pause, so that a poller that starts does not send all at once. */
export function firstPace(rates: PollRates, nowMs: number, idleShards: number, random: Random): PollPace {
  return {
    notBeforeMs: nowMs + random() * idlePauseMs(rates, idleShards),
    sentAtMs: Number.NEGATIVE_INFINITY,
    readsPerSecond: 1_000 / rates.leastMs,
    drift: 0,
    isBehind: false,
    emptyPages: EMPTY_PAGES_MAX,
    failures: 0,
  };
}

/**
 * When the next read may be sent.
 * @param idleShards shards of this process for which `isIdle` holds
 */
export function nextReadAtMs(pace: PollPace, rates: PollRates, idleShards: number): number {
  const hotPauseMs = rates.hotMs * 2 ** pace.emptyPages;
  const pauseMs = pace.isBehind ? 0 : Math.min(hotPauseMs, idlePauseMs(rates, idleShards));
  const driftingPauseMs = pauseMs * (1 + SPREAD * (pace.drift - 0.5));
  const distanceMs = (1_000 / pace.readsPerSecond) * (1 + SPREAD * pace.drift);
  return Math.max(pace.notBeforeMs, pace.sentAtMs + Math.max(driftingPauseMs, distanceMs));
}

/**
 * Whether the shard is read at the pace of idle ones: it is not behind, and has brought nothing for some reads. Never where records are
 * pushed: such a shard has no part in the reads that idle ones cost.
 */
export function isIdle(pace: PollPace, rates: PollRates): boolean {
  return rates.baseMs > 0 && !pace.isBehind && rates.hotMs * 2 ** pace.emptyPages >= rates.baseMs;
}

/** A read that brought a page. */
export interface PageRead {
  readonly page: ShardPage;
  /** What was asked for. */
  readonly maxRecords: number;
  /** When it was sent. */
  readonly sentAtMs: number;
}

/** The pace after a page. */
export function paceAfterPage(pace: PollPace, rates: PollRates, { page, maxRecords, sentAtMs }: PageRead, random: Random): PollPace {
  const { records, behindMs = 0 } = page;
  const textBytes = records.reduce((sum, { recordBytes }) => sum + recordBytes, 0);
  const gained = (RATE_GAINED_PER_SECOND * (sentAtMs - pace.sentAtMs)) / 1_000;
  const readsPerSecond = Math.min(1_000 / rates.leastMs, pace.readsPerSecond + gained);
  return {
    notBeforeMs: sentAtMs + payloadMs(textBytes, records.length, rates),
    sentAtMs,
    readsPerSecond,
    drift: random(),
    isBehind: behindMs > 0 || records.length >= maxRecords || textBytes >= rates.fullPageBytes,
    emptyPages: records.length > 0 ? 0 : Math.min(EMPTY_PAGES_MAX, pace.emptyPages + 1),
    failures: 0,
  };
}

/** A read that failed. */
export interface FailedRead {
  readonly code: FaultCode;
  readonly sentAtMs: number;
  /** When the failure was known. */
  readonly nowMs: number;
}

/**
 * The pace after a failed read: a throttle halves the rate, everything else is tried again after a pause that grows each time. So is a
 * throttle where there is no rate.
 */
export function paceAfterFault(pace: PollPace, { code, sentAtMs, nowMs }: FailedRead, random: Random): PollPace {
  if (code === 'throttled' && Number.isFinite(pace.readsPerSecond)) {
    const readsPerSecond = Math.max(RATE_LEAST, pace.readsPerSecond * RATE_KEPT);
    return { ...pace, sentAtMs, readsPerSecond, drift: random() };
  }
  const failures = pace.failures + 1;
  return { ...pace, sentAtMs, failures, notBeforeMs: nowMs + backoffMs(failures, FAULT_PAUSES[code], random) };
}

function idlePauseMs(rates: PollRates, idleShards: number): number {
  if (rates.baseMs === 0) return 0;
  return Math.min(IDLE_PAUSE_MAX_MS, Math.max(rates.baseMs, (idleShards * 1_000) / IDLE_READS_PER_SECOND));
}

/** For how long the shard gives out nothing more after a page, because of its limit of bytes. */
function payloadMs(textBytes: number, records: number, { bytesPerSecond }: PollRates): number {
  if (bytesPerSecond === undefined) return 0;
  const payloadBytes = Math.max(0, textBytes - records * ENVELOPE_BYTES) * BYTES_PER_BASE64_CHARACTER;
  return (payloadBytes / bytesPerSecond) * 1_000;
}
