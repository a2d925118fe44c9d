import type { InvokeResult } from '@wherry/core/invoke';
import type { StreamDecision, StreamStep } from '@wherry/core/stream/stream-batch';
import type { StreamVerdict } from '@wherry/core/stream/stream-verdict';
import type { StreamRecord } from '@wherry/core/stream-source';
import type { Permission } from '../permission.ts';
import type { ShardRun } from './shard-run.ts';

/** One attempt that has been made, and all there is to know about it. */
export interface Attempt {
  readonly batchId: string;
  readonly number: number;
  readonly records: readonly StreamRecord[];
  readonly bytes: number;
  /** Age of the first and of the last record when it began. */
  readonly ageMs: number;
  readonly lastAgeMs: number;
  readonly result: InvokeResult;
}

/**
 * One invocation under the given permission, which it ends.
 * @returns `undefined` if a kill cut it off: that says nothing about the target
 */
export async function invokeOnce(
  run: ShardRun,
  step: Extract<StreamStep, { readonly kind: 'invoke' }>,
  payload: Uint8Array,
  permission: Permission,
): Promise<Attempt | undefined> {
  const { context } = run;
  const { records, batchId, attempt: number } = step;
  const nowMs = context.surroundings.clock.nowMs();
  const ageOf = (record: StreamRecord | undefined): number => (record === undefined ? 0 : Math.max(0, nowMs - record.arrivedAtMs));
  let isAnswered = false;
  run.invocations += 1;
  try {
    const result = await context.invoker.invoke({
      function: context.function,
      ...(context.mapping.qualifier === undefined ? {} : { qualifier: context.mapping.qualifier }),
      payload,
      requestId: batchId,
      delivery: {
        fleet: context.fleetId,
        mapping: context.mapping.name,
        source: context.mapping.eventSourceArn,
        batch: batchId,
        attempt: number,
        records: records.length,
        first: records[0]?.sequenceNumber ?? '',
        last: records.at(-1)?.sequenceNumber ?? '',
        epoch: run.lease.epoch,
      },
      signal: context.kill,
    });
    if (context.kill.aborted && result.kind === 'unavailable') return undefined;
    isAnswered = true;
    // Before the place goes to a batch that waits for it: that one has to see what this answer did to the gate.
    context.gate.report(result, permission.passage);
    return { batchId, number, records, bytes: payload.length, ageMs: ageOf(records[0]), lastAgeMs: ageOf(records.at(-1)), result };
  } finally {
    run.invocations -= 1;
    permission.end();
    if (!isAnswered && permission.passage === 'probe') context.gate.giveUpProbe();
  }
}

/** Tells of an attempt and what it meant. */
export function tellInvoked({ context, shardId }: ShardRun, attempt: Attempt, verdict: StreamVerdict, decision: StreamDecision): void {
  context.observe({
    type: 'invoked',
    mapping: context.mapping.name,
    function: context.function.name,
    outcome: verdict.outcome,
    batch: attempt.batchId,
    attempt: attempt.number,
    requestId: verdict.requestId ?? attempt.batchId,
    events: attempt.records.length,
    failed: verdict.failed,
    bytes: attempt.bytes,
    durationMs: attempt.result.durationMs,
    ageMs: attempt.ageMs,
    lastAgeMs: attempt.lastAgeMs,
    shard: shardId,
    ...(decision === 'split' ? { isBisected: true } : {}),
    ...(verdict.error === undefined ? {} : { error: verdict.error }),
  });
}
