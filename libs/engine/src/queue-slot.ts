/**
 * One slot of a queue mapping: one long-poll loop under one lease. It owns the messages it has received until their batch has
 * been carried to its end, and takes no message that it could not carry.
 *
 *   ready ──target and limits allow──▶ polling ──messages──▶ gathering ──closed──▶ carrying (carry-batch.ts) ──▶ ready
 *     ▲                                   │ nothing
 *     └───────────────────────────────────┘
 *   any ──drain, hand-over or lease lost──▶ ending: the running long poll returns (only a kill aborts it, because an aborted poll
 *   hides the messages it was about to bring), what it brings is carried if there is time, batches in hand are finished ──▶ ended
 */
import type { HeldLease } from '@wherry/core/coordination';
import { carryBatch } from './carry-batch.ts';
import { type Gathered, gatherBatch } from './gather-batch.ts';
import { type HeldMessage, recordBytes } from './held-message.ts';
import type { QueueContext, SlotStop } from './queue-context.ts';
import type { Passage } from './target-gate.ts';

/**
 * Runs the slot until its lease is yielded or lost, its mapping is retired, or the process is killed.
 * Throws on programming errors alone, after everything it held has been given back.
 */
export async function runQueueSlot(context: QueueContext, lease: HeldLease, retired: AbortSignal): Promise<void> {
  const stopping = AbortSignal.any([context.kill, lease.yielded, lease.lost, retired]);
  const stop: SlotStop = {
    stopping,
    mayTake: () => !stopping.aborted && lease.isValid(),
    mayFinish: () => !context.kill.aborted && !retired.aborted && lease.isValid() && context.hasTimeForOneMore(),
  };
  const carrying = new Set<Promise<void>>();
  const crashes: unknown[] = [];
  let leftover: readonly HeldMessage[] = [];
  try {
    while (stop.mayTake() && crashes.length === 0) {
      if (carrying.size >= context.batchesPerSlot) {
        await Promise.race(carrying);
        continue;
      }
      const passage = leftover.length > 0 ? 'go' : await waitToFetch(context, stop);
      if (passage === 'stopped') continue;
      const inHand = leftover;
      leftover = [];
      const gathered = await gather(context, stop, inHand, passage);
      leftover = gathered.leftover;
      if (gathered.batch.length === 0) continue;
      const carrier = { context, lease, ...stop, visibilitySeconds: gathered.visibilitySeconds };
      const carried = carryBatch(carrier, gathered.batch, passage)
        .catch((error: unknown) => void crashes.push(error))
        .finally(() => carrying.delete(carried));
      carrying.add(carried);
    }
  } finally {
    context.settler.release(leftover);
    context.bytes.giveBack(recordBytes(leftover));
    await Promise.all(carrying);
  }
  if (crashes.length > 0) throw crashes[0];
}

/** Waits until it makes sense to ask the queue: it can be asked, and what comes back could be carried at once. */
async function waitToFetch(context: QueueContext, stop: SlotStop): Promise<Passage> {
  await context.health.waitOutPause(stop.stopping);
  const visibilitySeconds = await context.watch.visibilitySeconds();
  return visibilitySeconds === undefined ? 'stopped' : await context.desk.waitToFetch(stop.stopping);
}

async function gather(context: QueueContext, stop: SlotStop, leftover: readonly HeldMessage[], passage: Passage): Promise<Gathered> {
  const queueVisibilitySeconds = context.watch.attributes?.visibilityTimeoutSeconds ?? 0;
  let isUsed = false;
  try {
    const gathered = await gatherBatch(context, { ...stop, leftover, isProbe: passage === 'probe', queueVisibilitySeconds });
    isUsed = gathered.batch.length > 0;
    return gathered;
  } finally {
    if (passage === 'probe' && !isUsed) context.gate.giveUpProbe();
  }
}
