/**
 * Carries one batch of messages to the function and settles it. Everything that may happen to a received message happens here.
 *
 *   gathered ──permission──▶ checked ──▶ invoked ──▶ decided ─┬─ settle ───▶ deleted, or left to come back
 *      │ ▲                      │                             ├─ retry ────▶ waits, then asks for permission again
 *      │ └──────────────────────┼─────────────────────────────┤
 *      │                        │                             ├─ split ────▶ two halves, each carried like a batch
 *      │                        │                             └─ abandon ──▶ forgotten; the queue has it again
 *      │                        └─ visibility over ──▶ forgotten (`expired`)
 *      └─ stop, never invoked ──▶ released (visible at once)
 *
 * It never deletes what the function did not acknowledge, and never changes the visibility of what was invoked.
 */
import { encodeEvent } from '@wherry/core/batch';
import type { HeldLease } from '@wherry/core/coordination';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { InvokeResult } from '@wherry/core/invoke';
import { type QueueDecision, decideQueueBatch } from '@wherry/core/queue-outcome';
import { type HeldMessage, oursUntilMs, recordBytes, stillOurs } from './held-message.ts';
import type { Permission } from './permission.ts';
import type { QueueContext, SlotStop } from './queue-context.ts';
import type { Passage } from './target-gate.ts';

/** One slot with a batch in hand. */
export interface Carrier extends SlotStop {
  readonly context: QueueContext;
  readonly lease: HeldLease;
  /** Seconds for which the queue gave the messages. */
  readonly visibilitySeconds: number;
}

/** One attempt that has been made, and all there is to know about it. */
interface Attempt {
  readonly number: number;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly batchId: string;
  readonly bytes: number;
  readonly ageMs: number;
  readonly result: InvokeResult;
  readonly refusals: number;
}

/** Carries the batch to its end. Its bytes are given back whatever happens. */
export async function carryBatch(carrier: Carrier, batch: readonly HeldMessage[], passage: Passage): Promise<void> {
  try {
    await carry(carrier, batch, passage);
  } finally {
    carrier.context.keeper.letGo(batch);
    carrier.context.bytes.giveBack(recordBytes(batch));
  }
}

async function carry(carrier: Carrier, gathered: readonly HeldMessage[], fetchedAs: Passage): Promise<void> {
  const { surroundings } = carrier.context;
  const batchId = surroundings.newId();
  let batch = gathered;
  let payload: Uint8Array | undefined;
  let passage = fetchedAs;
  let refusals = 0;
  for (let number = 1; ; number += 1) {
    const permission = await askPermission(carrier, batch, passage, number === 1);
    passage = 'go';
    if (permission === undefined) return leave(carrier, batch, number === 1);
    const ours = stillOurs(batch, surroundings.clock.monotonicMs());
    if (ours.length < batch.length) {
      tellExpired(carrier, batch.length - ours.length);
      batch = ours;
      payload = undefined;
    }
    if (batch.length === 0 || !carrier.lease.isValid() || carrier.context.kill.aborted) {
      dropPermission(carrier, permission);
      return leave(carrier, batch, number === 1);
    }
    payload ??= encodeEvent(batch.map((held) => held.message.recordJson));
    const attempt = await invoke(carrier, batch, payload, permission, { number, batchId, refusals });
    // Cut off by a kill: its messages may have been worked on, so they are not released but come back by themselves.
    if (attempt === undefined) return;
    const next = await perform(carrier, batch, attempt);
    if (next === 'done') return;
    refusals = attempt.refusals;
  }
}

/** Waits for the right to invoke. A batch that was never invoked is kept ours meanwhile; one that was stays within its visibility. */
async function askPermission(
  carrier: Carrier,
  batch: readonly HeldMessage[],
  passage: Passage,
  isFirst: boolean,
): Promise<Permission | undefined> {
  const { desk, keeper } = carrier.context;
  const now = passage === 'go' ? desk.takeNow() : undefined;
  if (now !== undefined) return now;
  if (isFirst) keeper.hold(batch, carrier.visibilitySeconds, Number.POSITIVE_INFINITY);
  try {
    return await desk.take(passage, () => oursUntilMs(batch), carrier.stopping);
  } finally {
    if (isFirst) keeper.letGo(batch);
  }
}

function dropPermission(carrier: Carrier, permission: Permission): void {
  permission.end();
  if (permission.passage === 'probe') carrier.context.gate.giveUpProbe();
}

/** One attempt under the given permission, which it ends. @returns `undefined` if a kill cut it off: that says nothing about the target */
async function invoke(
  carrier: Carrier,
  batch: readonly HeldMessage[],
  payload: Uint8Array,
  permission: Permission,
  so: { readonly number: number; readonly batchId: string; readonly refusals: number },
): Promise<Attempt | undefined> {
  const { context, lease } = carrier;
  const { surroundings, mapping, function: fn, keeper } = context;
  const requestId = surroundings.newId();
  const nowMs = surroundings.clock.nowMs();
  const ageMs = Math.max(0, nowMs - Math.min(...batch.map((held) => held.message.sentAtMs)));
  const traceId = batch.find((held) => held.message.traceHeader !== undefined)?.message.traceHeader;
  keeper.hold(batch, carrier.visibilitySeconds, surroundings.clock.monotonicMs() + deadlineMsOf(fn));
  let isAnswered = false;
  try {
    const result = await context.invoker.invoke({
      function: fn,
      ...(mapping.qualifier === undefined ? {} : { qualifier: mapping.qualifier }),
      ...(traceId === undefined ? {} : { traceId }),
      payload,
      requestId,
      delivery: {
        fleet: context.fleetId,
        mapping: mapping.name,
        source: mapping.eventSourceArn,
        batch: so.batchId,
        attempt: so.number,
        records: batch.length,
        first: batch[0]?.message.messageId ?? '',
        last: batch.at(-1)?.message.messageId ?? '',
        epoch: lease.epoch,
      },
      signal: context.kill,
    });
    if (context.kill.aborted && result.kind === 'unavailable') return undefined;
    isAnswered = true;
    // Before the place goes to a batch that waits for it: that one has to see what this answer did to the gate.
    context.gate.report(result, permission.passage);
    const isRefused = result.kind === 'throttled' || result.kind === 'unavailable';
    return { ...so, requestId, traceId, bytes: payload.length, ageMs, result, refusals: isRefused ? so.refusals + 1 : so.refusals };
  } finally {
    keeper.letGo(batch);
    if (isAnswered) permission.end();
    else dropPermission(carrier, permission);
  }
}

/** Decides what the attempt means for its messages, tells of it, and does it. */
async function perform(carrier: Carrier, batch: readonly HeldMessage[], attempt: Attempt): Promise<'done' | 'again'> {
  const { context, stopping } = carrier;
  const { surroundings, mapping, settler, scaler } = context;
  const decision = decideQueueBatch(
    attempt.result,
    {
      messageIds: batch.map((held) => held.message.messageId),
      reportBatchItemFailures: mapping.reportBatchItemFailures,
      refusals: attempt.refusals,
      visibleForMs: oursUntilMs(batch) - surroundings.clock.monotonicMs(),
    },
    surroundings.random,
  );
  scaler.invoked(decision.kind === 'settle' && decision.functionFailed);
  tellInvoked(carrier, batch, attempt, decision);
  switch (decision.kind) {
    case 'settle':
      await settler.delete(batch.filter((held) => decision.deleteIds.has(held.message.messageId)));
      return 'done';
    case 'retry':
      await surroundings.clock.sleep(decision.afterMs, stopping);
      // Told to stop: the messages were tried, so they are not released but come back when their visibility ends.
      return stopping.aborted ? 'done' : 'again';
    case 'split': {
      const middle = Math.ceil(batch.length / 2);
      await carry(carrier, batch.slice(0, middle), 'go');
      await carry(carrier, batch.slice(middle), 'go');
      return 'done';
    }
    case 'abandon':
      tellExpired(carrier, batch.length);
      return 'done';
  }
}

/** The batch is not invoked (again). What never was, and is still ours, goes back to the queue at once. */
function leave(carrier: Carrier, batch: readonly HeldMessage[], wasNeverInvoked: boolean): void {
  const ours = stillOurs(batch, carrier.context.surroundings.clock.monotonicMs());
  tellExpired(carrier, batch.length - ours.length);
  if (wasNeverInvoked) carrier.context.settler.release(ours);
}

function tellExpired(carrier: Carrier, events: number): void {
  if (events > 0) carrier.context.observe({ type: 'expired', mapping: carrier.context.mapping.name, events });
}

function tellInvoked(carrier: Carrier, batch: readonly HeldMessage[], attempt: Attempt, decision: QueueDecision): void {
  const { observe, mapping, function: fn } = carrier.context;
  const deleted = decision.kind === 'settle' ? decision.deleteIds.size : 0;
  observe({
    type: 'invoked',
    mapping: mapping.name,
    function: fn.name,
    outcome: decision.outcome,
    batch: attempt.batchId,
    attempt: attempt.number,
    requestId: attempt.requestId,
    ...(attempt.traceId === undefined ? {} : { traceId: attempt.traceId }),
    events: batch.length,
    failed: batch.length - deleted,
    bytes: attempt.bytes,
    durationMs: attempt.result.durationMs,
    ageMs: attempt.ageMs,
    ...('error' in decision && decision.error !== undefined ? { error: decision.error } : {}),
  });
}
