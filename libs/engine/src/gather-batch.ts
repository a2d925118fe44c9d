/**
 * Fills one batch from the queue: receives until the batch is closed by count, by size or by its window, and deletes on the
 * way what the filters do not match. Invokes nothing.
 */
import { type BatchFill, type BatchLimits, EMPTY_BATCH, EVENT_BYTES_MAX, addRecord, closeReason, hasRoomFor } from '@wherry/core/batch';
import type { QueueMessage } from '@wherry/core/queue-source';
import { receiveVisibilitySeconds, waitTimeSeconds } from '@wherry/core/receive-plan';
import { SourceError } from '@wherry/core/source-error';
import type { ByteReservation } from './byte-budget.ts';
import { type HeldMessage, holdMessage, recordBytes } from './held-message.ts';
import type { QueueContext, SlotStop } from './queue-context.ts';

/** SQS returns at most 10 messages a call. */
const MESSAGES_MAX = 10;
/** A probe does not wait long for a message: other mappings of the same function may have one. */
const PROBE_WAIT_SECONDS = 1;
/**
 * An empty answer that comes sooner than this was not a long poll; the pause after it keeps the loop from running hot. The first
 * look into a queue is short on purpose, and there is one of it.
 */
const QUICK_ANSWER_MS = 200;
const QUICK_ANSWER_PAUSE_MS = 500;

/** What a gathering brought. */
export interface Gathered {
  /** The closed batch; empty if the queue had nothing, or there is a reason to look around first. */
  readonly batch: readonly HeldMessage[];
  /** Received after the batch was closed: they begin the next one. */
  readonly leftover: readonly HeldMessage[];
  /** Seconds for which the queue gave the messages. */
  readonly visibilitySeconds: number;
}

/** What one gathering starts from. */
export interface GatherRequest extends SlotStop {
  /** What an earlier gathering left over. */
  readonly leftover: readonly HeldMessage[];
  /** The batch is to find out whether the target is back: it takes what one receive brings. */
  readonly isProbe: boolean;
  /** The queue's own visibility timeout. */
  readonly queueVisibilitySeconds: number;
}

/** A batch while it is being filled. */
interface OpenBatch {
  readonly limits: BatchLimits;
  readonly messages: HeldMessage[];
  readonly leftover: HeldMessage[];
  fill: BatchFill;
}

/**
 * Gathers one batch. Takes over what was left over before.
 * Throws on programming errors alone; the messages in hand are then back in the queue.
 */
export async function gatherBatch(context: QueueContext, request: GatherRequest): Promise<Gathered> {
  const { mapping, surroundings, settler, bytes } = context;
  const windowSeconds = request.isProbe ? 0 : mapping.maximumBatchingWindowInSeconds;
  const limits: BatchLimits = { records: mapping.batchSize, windowMs: windowSeconds * 1_000, bytes: EVENT_BYTES_MAX };
  const open: OpenBatch = { limits, messages: [], leftover: [], fill: EMPTY_BATCH };
  addAll(open, request.leftover, surroundings.clock.monotonicMs());
  const asked = receiveVisibilitySeconds(
    mapping.maximumBatchingWindowInSeconds,
    context.function.timeoutSeconds,
    request.queueVisibilitySeconds,
  );
  const visibilitySeconds = asked ?? request.queueVisibilitySeconds;
  try {
    while (isOpen(open, surroundings.clock.monotonicMs())) {
      const isEmpty = open.fill.records === 0;
      const received = await receiveInto(context, request, open, asked, visibilitySeconds);
      if (received === undefined || (isEmpty && open.fill.records === 0)) break;
    }
  } catch (error) {
    const inHand = [...open.messages, ...open.leftover];
    settler.release(inHand);
    bytes.giveBack(recordBytes(inHand));
    throw error;
  }
  return { batch: open.messages, leftover: open.leftover, visibilitySeconds };
}

function isOpen(open: OpenBatch, nowMs: number): boolean {
  return open.leftover.length === 0 && closeReason(open.fill, open.limits, nowMs) === undefined;
}

/** One receive into the open batch. @returns `undefined` if there was none, for whatever reason */
async function receiveInto(
  context: QueueContext,
  request: GatherRequest,
  open: OpenBatch,
  asked: number | undefined,
  visibilitySeconds: number,
): Promise<number | undefined> {
  const { surroundings, desk, health, bytes } = context;
  const isEmpty = open.fill.records === 0;
  // An open batch is not kept waiting for memory, for the target, for the source or for its slot's end: it goes as it is.
  if (!isEmpty && (!request.mayTake() || !desk.mayFetch() || health.isPaused)) return undefined;
  const wanted = Math.min(MESSAGES_MAX, open.limits.records - open.fill.records);
  const room = isEmpty ? await bytes.reserve(wanted, request.stopping) : bytes.tryReserve(wanted);
  if (room === undefined) return undefined;
  // While it waited for memory, somebody may have got stuck with a batch: then fetching more makes no sense any more.
  if (!request.mayTake() || (!request.isProbe && !desk.mayFetch())) {
    room.cancel();
    return undefined;
  }
  const wait = room.isLook ? 0 : waitSeconds(context, request, open, visibilitySeconds);
  const received = await receive(context, room, asked, wait);
  if (received === undefined) return undefined;
  if (!request.mayTake() && !request.mayFinish()) {
    // Back to the queue unjudged: where the mapping was changed, its next version's filters decide.
    open.leftover.push(...holdAll(received, visibilitySeconds));
    return received.length;
  }
  const { matching, deleting } = dropFiltered(context, holdAll(received, visibilitySeconds));
  addAll(open, matching, surroundings.clock.monotonicMs());
  // Too many messages may be waiting for their delete already. A batch in hand does not wait for them, the next receive does.
  if (open.fill.records === 0) await deleting;
  return received.length;
}

function holdAll(messages: readonly QueueMessage[], visibilitySeconds: number): HeldMessage[] {
  return messages.map((message) => holdMessage(message, visibilitySeconds));
}

function waitSeconds(context: QueueContext, request: GatherRequest, open: OpenBatch, visibilitySeconds: number): number {
  const configured = request.isProbe ? Math.min(PROBE_WAIT_SECONDS, context.mapping.waitTimeSeconds) : context.mapping.waitTimeSeconds;
  const { fill, limits } = open;
  const windowLeftMs = fill.openedAtMs + limits.windowMs - context.surroundings.clock.monotonicMs();
  return waitTimeSeconds(configured, visibilitySeconds, fill.records === 0 ? undefined : windowLeftMs);
}

/** Adds messages in order. From the first that does not fit, all are left over, so that none overtakes another. */
function addAll(open: OpenBatch, messages: readonly HeldMessage[], nowMs: number): void {
  for (const held of messages) {
    if (open.leftover.length === 0 && hasRoomFor(open.fill, held.message.recordBytes, open.limits)) {
      open.fill = addRecord(open.fill, held.message.recordBytes, nowMs);
      open.messages.push(held);
    } else open.leftover.push(held);
  }
}

/** One receive. @returns `undefined` if it failed; the reason is told and the mapping's pause is set */
async function receive(
  context: QueueContext,
  room: ByteReservation,
  visibilityTimeoutSeconds: number | undefined,
  wait: number,
): Promise<QueueMessage[] | undefined> {
  const { surroundings, source, kill, health, scaler, mapping, observe } = context;
  const sentAtMs = surroundings.clock.monotonicMs();
  const request = { maxMessages: room.messages, waitTimeSeconds: wait, signal: kill };
  let messages: QueueMessage[];
  try {
    messages = await source.receive(visibilityTimeoutSeconds === undefined ? request : { ...request, visibilityTimeoutSeconds });
  } catch (error) {
    room.cancel();
    if (kill.aborted) return undefined;
    if (!(error instanceof SourceError)) throw error;
    if (error.code === 'notFound') source.refresh();
    health.failed(error, sentAtMs);
    const outcome = error.code === 'throttled' ? 'throttled' : 'error';
    observe({
      type: 'polled',
      mapping: mapping.name,
      outcome,
      events: 0,
      bytes: 0,
      durationMs: surroundings.clock.monotonicMs() - sentAtMs,
    });
    return undefined;
  }
  room.arrived(messages.map((message) => message.recordBytes));
  health.worked(sentAtMs);
  scaler.received(room.messages, messages.length);
  const durationMs = surroundings.clock.monotonicMs() - sentAtMs;
  const bytes = messages.reduce((sum, message) => sum + message.recordBytes, 0);
  observe({
    type: 'polled',
    mapping: mapping.name,
    outcome: messages.length > 0 ? 'events' : 'empty',
    events: messages.length,
    bytes,
    durationMs,
  });
  if (messages.length === 0 && durationMs < QUICK_ANSWER_MS && !room.isLook) await surroundings.clock.sleep(QUICK_ANSWER_PAUSE_MS, kill);
  return messages;
}

/**
 * Deletes messages that the mapping's filters do not match; the function never sees them. Their deletes begin at once, before
 * the next receive and before the rest is invoked, so that they hold up nothing behind them in their message group. One that
 * could not be deleted comes again, is not matched again, and meanwhile keeps its group in its place.
 * Throws if matching does; all the messages are then back in the queue.
 */
function dropFiltered(
  context: QueueContext,
  received: readonly HeldMessage[],
): { matching: readonly HeldMessage[]; deleting: Promise<void> } {
  const { matches, settler, bytes, mapping, observe } = context;
  if (matches === undefined) return { matching: received, deleting: Promise.resolve() };
  const matching: HeldMessage[] = [];
  const dropped: HeldMessage[] = [];
  try {
    for (const held of received) (matches(held.message) ? matching : dropped).push(held);
  } catch (error) {
    settler.release(received);
    bytes.giveBack(recordBytes(received));
    throw error;
  }
  if (dropped.length === 0) return { matching, deleting: Promise.resolve() };
  bytes.giveBack(recordBytes(dropped));
  observe({ type: 'filtered', mapping: mapping.name, events: dropped.length });
  return { matching, deleting: settler.delete(dropped) };
}
