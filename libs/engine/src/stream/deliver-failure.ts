import type { FailureDelivery } from '@wherry/core/failure-destination';
import { SourceError } from '@wherry/core/source-error';
import { afterFailedDelivery } from '@wherry/core/stream/failure-delivery';
import type { FailureOrigin } from '@wherry/core/stream/failure-record';
import type { Discarded } from '@wherry/core/stream/stream-batch';
import type { LaneCall } from './carry-stream-batch.ts';
import type { ShardRun } from './shard-run.ts';

/**
 * Gives records up: tells of it, and has the failure destination take them, until it confirms or the mapping allows to drop them.
 * A run that is told to stop still tries once, because the invocation that exhausted the batch was its own.
 *
 * @returns false if the run stops before: the next owner reads the records again, and gives them up anew
 */
export async function deliverFailure(run: ShardRun, lane: number, failure: Discarded, call: LaneCall): Promise<boolean> {
  const { context, lease, notice, stopping, over } = run;
  const { destination, mapping, surroundings } = context;
  if (over.aborted || !lease.isValid()) return false;
  tellDiscarded(run, failure);
  if (destination === undefined) {
    tellDestination(run, failure, 'dropped', undefined);
    return true;
  }
  const delivery = deliveryOf(run, failure, call);
  for (let failures = 1; ; failures += 1) {
    if (over.aborted || !lease.isValid()) return false;
    const message = await tryToDeliver(run, delivery);
    if (message === undefined) {
      tellDestination(run, failure, 'delivered', undefined);
      return true;
    }
    if (over.aborted) return false;
    const decision = afterFailedDelivery(failures, mapping.onDestinationFailure, surroundings.random);
    tellDestination(run, failure, decision.kind === 'drop' ? 'dropped' : 'failed', message);
    if (decision.kind === 'drop') return true;
    if (stopping.aborted) return false;
    notice.block(lane, { reason: 'destination', attempts: failures, error: message }, decision.afterMs);
    await surroundings.clock.sleep(decision.afterMs, stopping);
    if (stopping.aborted) return false;
  }
}

/** @returns why the destination did not take it; `undefined` if it did */
async function tryToDeliver({ context, over }: ShardRun, delivery: FailureDelivery): Promise<string | undefined> {
  try {
    await context.destination?.deliver(delivery, over);
    return undefined;
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return `${error.serviceCode}: ${error.message}`;
  }
}

function deliveryOf({ context, shardId }: ShardRun, failure: Discarded, call: LaneCall): FailureDelivery {
  const { mapping, function: fn, surroundings, source } = context;
  const window = call.window();
  const origin: FailureOrigin = {
    source: mapping.source,
    functionArn: mapping.qualifier === undefined ? fn.arn : `${fn.arn}:${mapping.qualifier}`,
    streamArn: source.eventSourceArn ?? mapping.eventSourceArn,
    shardId,
    ...(window === undefined ? {} : { window }),
  };
  // Written when it is asked for; the window's state is still the one that the function saw.
  return { id: surroundings.newId(), failure, origin, event: () => call.encode(failure.records) };
}

function tellDiscarded({ context, shardId }: ShardRun, { condition, records, requestId }: Discarded): void {
  context.observe({
    type: 'discarded',
    mapping: context.mapping.name,
    shard: shardId,
    condition,
    events: records.length,
    batch: requestId,
    firstSequenceNumber: records[0]?.sequenceNumber ?? '',
    lastSequenceNumber: records.at(-1)?.sequenceNumber ?? '',
  });
}

function tellDestination(
  { context, shardId }: ShardRun,
  { condition, records }: Discarded,
  outcome: 'delivered' | 'failed' | 'dropped',
  message: string | undefined,
): void {
  const { mapping, observe, destination } = context;
  observe({
    type: 'destination',
    mapping: mapping.name,
    shard: shardId,
    destination: destination === undefined ? 'none' : (mapping.onFailure?.kind ?? 'none'),
    condition,
    outcome,
    events: records.length,
    ...(message === undefined ? {} : { message }),
  });
}
