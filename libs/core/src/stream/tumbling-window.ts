/**
 * Tumbling windows of a shard, as pure functions over what is open. A mapping with `TumblingWindowInSeconds` has one lane per shard
 * and no filters. Its loop asks `nextWindowStep` whenever the lane is free:
 *
 *     const step = nextWindowStep(open, { firstArrivedAtMs, isEnd, quiet }, windowMs);
 *     switch (step.kind) {
 *       case 'batch':  // gather records with belongsTo(step.window, …); the first that does not belong closes the batch as BatchSize does
 *                      // invoke with batchCall(step.window); judge with judgeWindowCall (window-answer.ts)
 *       case 'finish': // a batch without records (openStreamBatch([], …)), invoked with finalCall(step.window); what it returns is
 *                      // dropped; when it is done, or given up, nothing is open any more
 *       case 'wait':   // for the next page
 *     }
 *
 * Whenever an answer counts (judgeWindowCall returns a state), `carryState` says what is open from then on. If the state has grown
 * too large, its early last call is made first, as a batch without records of its own, before the records' checkpoint is written.
 * Each checkpoint carries `writeWindow(open)` in the same atomic write: after a crash the next owner has the state that fits the
 * position, and a batch whose write did not happen comes again with the state it had. The end of a window is written too, with the
 * checkpoint as it is. A batch that was given up leaves the state as it was.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
 */
import type { ShardPage } from '../stream-source.ts';

/** The window of a shard whose last call has not been made. */
export interface OpenWindow {
  /** Epoch milliseconds; windows are aligned to the epoch. */
  readonly startMs: number;
  /** First millisecond after the window. */
  readonly endMs: number;
  /** What the function returned last, as JSON text; `{}` in the beginning. */
  readonly state: WindowState;
}

/** A state as the function wrote it: its numbers keep all their digits. */
export interface WindowState {
  /** JSON text of an object. */
  readonly json: string;
  /** UTF-8 bytes of it. */
  readonly bytes: number;
}

/** What an invocation says of its window beside the records. Fits `FailedWindow` of `failure-record.ts`. */
export interface WindowCall extends OpenWindow {
  readonly isFinalInvokeForWindow: boolean;
  readonly isWindowTerminatedEarly: boolean;
}

/** State a shard may keep: 1 MB. A larger one ends its window early. */
export const WINDOW_STATE_BYTES_MAX = 1_048_576;

/** The largest text of `writeWindow`: the state, and the window's times around it. */
export const STORED_WINDOW_BYTES_MAX = WINDOW_STATE_BYTES_MAX + 64;

/**
 * How long after its end a window waits for records while the shard is quiet. Inferred: AWS says up to two minutes, and 112 s were
 * seen. The rest of the two minutes is for the read that finds the shard quiet, which comes late where many shards are idle.
 */
export const IDLE_GRACE_MS = 110_000;

const FRESH_STATE: WindowState = { json: '{}', bytes: 2 };

/** An unbroken run of reads that found nothing more in the shard, by wall time in epoch milliseconds. */
export interface QuietRun {
  /** Since when the reader has been at the tip, as far as it can tell; minus infinity where the source says so. */
  readonly sinceMs: number;
  /** When the last of them was sent. */
  readonly lastReadMs: number;
}

/**
 * Keeps count of quiet reads. Only pages without records are, and only if the source does not say that the reader is behind: while it
 * is, windows must not end by the clock, because their records are still to come. A source that says it is not behind (Kinesis) is
 * believed at once; where none says anything (DynamoDB) an empty page may stand in the midst of many records, and time has to tell.
 * @param before the run up to this page, if there is one
 * @param sentAtMs when the read was sent, wall time
 */
export function quietAfter(before: QuietRun | undefined, page: ShardPage, sentAtMs: number): QuietRun | undefined {
  if (page.records.length > 0 || (page.behindMs ?? 0) > 0) return undefined;
  const sinceMs = page.behindMs === undefined ? (before?.sinceMs ?? sentAtMs) : Number.NEGATIVE_INFINITY;
  return { sinceMs, lastReadMs: sentAtMs };
}

/** What the lane has before it. */
export interface WindowedShard {
  /** `arrivedAtMs` of the first record that waits in the lane, if any. */
  readonly firstArrivedAtMs: number | undefined;
  /** The shard is closed and was read to its end. */
  readonly isEnd: boolean;
  readonly quiet: QuietRun | undefined;
}

/** What a free lane does next. */
export type WindowStep =
  /** Gather a batch of this window. It is open from now on. */
  | { readonly kind: 'batch'; readonly window: OpenWindow }
  /** Make the last call of this window: a later record waits, or none will come. */
  | { readonly kind: 'finish'; readonly window: OpenWindow }
  | { readonly kind: 'wait' };

/**
 * Decides between the next batch and the last call of the open window.
 *
 * A window ends when a record of a later one is there, when the shard has ended (its children begin with a fresh state), or when a
 * read that was sent `idleGraceMs` after the window's end, and after the reader came to the tip, found nothing.
 *
 * @param open the open window, if there is one
 * @param windowMs `TumblingWindowInSeconds` in milliseconds; a window that is open keeps the length it began with
 */
export function nextWindowStep(
  open: OpenWindow | undefined,
  { firstArrivedAtMs, isEnd, quiet }: WindowedShard,
  windowMs: number,
  idleGraceMs: number = IDLE_GRACE_MS,
): WindowStep {
  if (open === undefined) {
    return firstArrivedAtMs === undefined ? { kind: 'wait' } : { kind: 'batch', window: windowOf(firstArrivedAtMs, windowMs) };
  }
  if (firstArrivedAtMs !== undefined) return { kind: belongsTo(open, firstArrivedAtMs) ? 'batch' : 'finish', window: open };
  const isOver = quiet !== undefined && quiet.lastReadMs >= Math.max(open.endMs, quiet.sinceMs) + idleGraceMs;
  return isEnd || isOver ? { kind: 'finish', window: open } : { kind: 'wait' };
}

/** The window into which a record falls by its arrival time, with nothing in it. */
export function windowOf(arrivedAtMs: number, windowMs: number): OpenWindow {
  const startMs = Math.floor(arrivedAtMs / windowMs) * windowMs;
  return { startMs, endMs: startMs + windowMs, state: FRESH_STATE };
}

/**
 * Whether a record goes into a batch of the open window. Inferred: one that arrived before the window began, because clocks of the
 * service differ a little, does too. Its own window has had its last call, and opening that again would split both.
 */
export function belongsTo(open: OpenWindow, arrivedAtMs: number): boolean {
  return arrivedAtMs < open.endMs;
}

/** The invocation of a batch with records. */
export function batchCall(window: OpenWindow): WindowCall {
  return { ...window, isFinalInvokeForWindow: false, isWindowTerminatedEarly: false };
}

/** The last invocation of a window; it has no records. */
export function finalCall(window: OpenWindow): WindowCall {
  return { ...window, isFinalInvokeForWindow: true, isWindowTerminatedEarly: false };
}

/** What an answer leads to. */
export type CarriedState =
  | { readonly kind: 'carried'; readonly window: OpenWindow }
  /** Make `call`, without records and with the whole state; when that is done or given up, the window goes on, empty. */
  | { readonly kind: 'tooLarge'; readonly call: WindowCall; readonly window: OpenWindow };

/** The window with the state that the function returned, or, if that is larger than a shard may keep, its early end. */
export function carryState({ startMs, endMs }: OpenWindow, state: WindowState): CarriedState {
  if (state.bytes <= WINDOW_STATE_BYTES_MAX) return { kind: 'carried', window: { startMs, endMs, state } };
  const call = { startMs, endMs, state, isFinalInvokeForWindow: true, isWindowTerminatedEarly: true };
  return { kind: 'tooLarge', call, window: { startMs, endMs, state: FRESH_STATE } };
}

/** What is stored with a checkpoint: JSON with the state as the function wrote it; empty when no window is open. */
export function writeWindow(open: OpenWindow | undefined): string {
  return open === undefined ? '' : `{"startMs":${open.startMs},"endMs":${open.endMs},"state":${open.state.json}}`;
}

/** What was found with a checkpoint. */
export type StoredWindow =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly window: OpenWindow }
  /** Not a text of `writeWindow`. The loop says so and goes on with none: records are not lost, what was summed up of one window is. */
  | { readonly kind: 'damaged' };

const STORED = /^\{"startMs":(?<start>\d{1,16}),"endMs":(?<end>\d{1,16}),"state":(?<state>\{.*\})\}$/s;
const encoder = new TextEncoder();

/** Reads what `writeWindow` wrote. Reading of the shard goes on behind the checkpoint, with this window open. */
export function readWindow(text: string): StoredWindow {
  if (text === '') return { kind: 'none' };
  const { start, end, state } = STORED.exec(text)?.groups ?? {};
  if (start === undefined || end === undefined || state === undefined || !isJson(state)) return { kind: 'damaged' };
  const window = { startMs: Number(start), endMs: Number(end), state: { json: state, bytes: encoder.encode(state).length } };
  return window.startMs < window.endMs ? { kind: 'open', window } : { kind: 'damaged' };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
