import type { InvokeResult } from '@wherry/core/invoke';
import type { StreamRecord } from '@wherry/core/stream-source';
import type { Discarded, StreamBatch, StreamRules, afterInvocation, nextStep, openStreamBatch } from '@wherry/core/stream/stream-batch';
import { type StreamVerdict, judgeInvocation } from '@wherry/core/stream/stream-verdict';

/** The policy under test: the real one, or one with a fault in it. */
export interface StreamBatchPolicy {
  readonly openStreamBatch: typeof openStreamBatch;
  readonly nextStep: typeof nextStep;
  readonly afterInvocation: typeof afterInvocation;
}

/** What a function, or whatever stands before it, does with a batch. `failed` holds places in the batch. */
export type Answer =
  | { readonly kind: 'ok' | 'raise' | 'timeout' | 'malformed' | 'rejected' | 'unreachable' | 'tooLarge' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }
  | { readonly kind: 'report'; readonly failed: readonly number[] };

/** One batch, the settings, and everything that happens to it. Pauses have no jitter. */
export interface StreamBatchScenario {
  readonly records: readonly StreamRecord[];
  readonly rules: StreamRules;
  /** Wall time when the batch is opened. */
  readonly startMs: number;
  /** How long each invocation runs. */
  readonly takesMs: number;
  /** The answer to an invocation of these records; `nth` counts all invocations from 0. */
  readonly answer: (records: readonly StreamRecord[], nth: number) => Answer;
}

/** What the loop did, in order. */
export type StreamBatchDeed =
  | {
      readonly kind: 'invoke';
      readonly batchId: string;
      readonly attempt: number;
      readonly records: readonly StreamRecord[];
      readonly atMs: number;
      readonly answer: Answer;
      readonly verdict: StreamVerdict;
    }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'discard'; readonly failure: Discarded }
  | { readonly kind: 'checkpoint'; readonly records: readonly StreamRecord[] };

/** A record; its sequence number is as long as Kinesis' own. */
export function streamRecord(number: number, arrivedAtMs = 0, recordBytes = 100): StreamRecord {
  return { sequenceNumber: `4966${String(number).padStart(52, '0')}`, arrivedAtMs, orderKey: 'key', recordJson: '{}', recordBytes };
}

/** The number that `streamRecord` was given. */
export function numberOf(record: StreamRecord): number {
  return Number(record.sequenceNumber.slice('4966'.length));
}

const MAX_STEPS = 20_000;

/** Performs what the policy decides until the batch is done. Throws if it does not come to an end. */
export function runStreamBatch(policy: StreamBatchPolicy, scenario: StreamBatchScenario): StreamBatchDeed[] {
  const { records, rules } = scenario;
  const deeds: StreamBatchDeed[] = [];
  let ids = 0;
  const newId = (): string => `batch-${(ids += 1)}`;
  let nowMs = scenario.startMs;
  let batch: StreamBatch = policy.openStreamBatch(records, newId());
  let invocations = 0;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    const step = policy.nextStep(batch, rules, nowMs, newId);
    switch (step.kind) {
      case 'invoke': {
        const answer = scenario.answer(step.records, invocations);
        const sequenceNumbers = step.records.map(({ sequenceNumber }) => sequenceNumber);
        const verdict = judgeInvocation(resultOf(answer, sequenceNumbers, invocations), sequenceNumbers, true);
        const { batchId, attempt } = step;
        deeds.push({ kind: 'invoke', batchId, attempt, records: step.records, atMs: nowMs, answer, verdict });
        invocations += 1;
        nowMs += scenario.takesMs;
        batch = policy.afterInvocation(batch, verdict, rules, { random: () => 1, newId }).batch;
        break;
      }
      case 'wait':
        deeds.push({ kind: 'wait', ms: step.ms });
        nowMs += step.ms;
        batch = step.next;
        break;
      case 'discard':
        deeds.push({ kind: 'discard', failure: step.failure });
        batch = step.next;
        break;
      case 'checkpoint':
        deeds.push({ kind: 'checkpoint', records: step.records });
        batch = step.next;
        break;
      case 'done':
        return deeds;
    }
  }
  throw new Error(`the batch was not done after ${MAX_STEPS} steps`);
}

const encoder = new TextEncoder();

/** The answer as an invoker reports it. Failed records are listed last first, as no function promises an order. */
export function resultOf(answer: Answer, sequenceNumbers: readonly string[], nth = 0): InvokeResult {
  const durationMs = 1;
  const ran = { executedVersion: '$LATEST', requestId: `run-${nth}`, durationMs };
  switch (answer.kind) {
    case 'ok':
      return { kind: 'success', body: encoder.encode('{"batchItemFailures":[]}'), ...ran };
    case 'report': {
      const failures = answer.failed.toReversed().map((place) => ({ itemIdentifier: sequenceNumbers[place] }));
      return { kind: 'success', body: encoder.encode(JSON.stringify({ batchItemFailures: failures })), ...ran };
    }
    case 'malformed':
      return { kind: 'success', body: encoder.encode('{"batchItemFailures":[{"itemIdentifier":""}]}'), ...ran };
    case 'raise':
      return { kind: 'functionError', errorType: 'ValueError', errorMessage: 'bad', body: encoder.encode('{}'), ...ran };
    case 'timeout':
      return { kind: 'timedOut', durationMs };
    case 'rejected':
      return { kind: 'rejected', reason: 'InvalidRequestContentException', durationMs };
    case 'tooLarge':
      return { kind: 'tooLarge', reason: 'RequestTooLargeException', durationMs };
    case 'throttled':
      return { kind: 'throttled', reason: 'ConcurrentInvocationLimitExceeded', retryAfterMs: answer.retryAfterMs, durationMs };
    case 'unreachable':
      return { kind: 'unavailable', reason: 'connection refused', permanent: false, durationMs };
  }
}

/** Deeds as lines to compare and to read: record numbers, and batches by the order in which they first ran. */
export function tellDeeds(deeds: readonly StreamBatchDeed[]): string[] {
  const names = new Map<string, number>();
  const nameOf = (id: string): number => {
    if (!names.has(id)) names.set(id, names.size + 1);
    return names.get(id) ?? 0;
  };
  return deeds.map((deed) => {
    switch (deed.kind) {
      case 'invoke':
        return `invoke ${listed(deed.records)} as batch ${nameOf(deed.batchId)}, attempt ${deed.attempt}, at ${deed.atMs}`;
      case 'wait':
        return `wait ${deed.ms}`;
      case 'discard': {
        const { records, condition, approximateInvokeCount, response } = deed.failure;
        return `discard ${listed(records)} ${condition} after ${approximateInvokeCount}, response ${response?.functionError}`;
      }
      case 'checkpoint':
        return `checkpoint ${listed(deed.records)}`;
    }
  });
}

/** `[1,2,3]`: the numbers of the records. */
export function listed(records: readonly StreamRecord[]): string {
  return `[${records.map(numberOf).join(',')}]`;
}
