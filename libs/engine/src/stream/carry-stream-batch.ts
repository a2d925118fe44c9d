/**
 * Carries one batch of a lane to its end, as `nextStep` says. Everything that may happen to a record that was read happens here.
 *
 *   nextStep ─┬─ invoke ─────▶ permission ──▶ nextStep again: records age while they wait ──▶ one attempt ──▶ judged ──▶ nextStep
 *      ▲      ├─ wait ───────▶ blocked, told ──────────────────────────────────────────────────────────────────────▶ nextStep
 *      │      ├─ discard ────▶ failure destination (deliver-failure.ts) ───────────────────────────────────────────▶ nextStep
 *      │      ├─ checkpoint ─▶ terminal; a write that covers them is known good ───────────────────────────────────▶ nextStep
 *      │      └─ done
 *      └── stop ──▶ what is terminal is checkpointed, what stands before records that other lanes have done may still be invoked once,
 *                   nothing else is begun; the next owner reads the rest again
 */
import { expiresAtMs } from '@wherry/core/stream/record-age';
import type { InvokeResult } from '@wherry/core/invoke';
import type { FailedWindow } from '@wherry/core/stream/failure-record';
import {
  type StreamBatch,
  type StreamRules,
  type StreamStep,
  type WaitReason,
  afterInvocation,
  nextStep,
  openStreamBatch,
} from '@wherry/core/stream/stream-batch';
import type { StreamVerdict } from '@wherry/core/stream/stream-verdict';
import type { StreamRecord } from '@wherry/core/stream-source';
import type { Permission } from '../permission.ts';
import { deliverFailure } from './deliver-failure.ts';
import { type Attempt, invokeOnce, tellInvoked } from './invoke-once.ts';
import type { ShardRun } from './shard-run.ts';

/** What windows change about a lane's invocations. */
export interface LaneCall {
  /** The event as UTF-8 bytes, as it is now. */
  encode(records: readonly StreamRecord[]): Uint8Array;
  judge(result: InvokeResult, sequenceNumbers: readonly string[]): StreamVerdict;
  /** What has to happen between a verdict and what follows from it. @returns false if the run stops meanwhile: nothing follows then */
  beforeSettling(): Promise<boolean>;
  /** The shard's position has moved over records of this call: what fits the new position goes out with its write. */
  commit(): void;
  recordBytesMax(): number;
  window(): FailedWindow | undefined;
}

type InvokeStep = Extract<StreamStep, { readonly kind: 'invoke' }>;

/** One batch in hand. */
interface Carriage {
  readonly run: ShardRun;
  readonly lane: number;
  readonly call: LaneCall;
  batch: StreamBatch;
  /** The event of the batch with this id, written once for all its attempts. */
  payload: { readonly batchId: string; readonly bytes: Uint8Array } | undefined;
  /** Of the last attempt, for those who ask why nothing goes on. */
  attempts: number;
  error: string;
}

/**
 * Carries the batch until everything in it is terminal and checkpointed.
 * @param records none for the last call of a window
 * @returns false if the run stopped before; what is not terminal is read again by the next owner
 */
export async function carryStreamBatch(run: ShardRun, lane: number, records: readonly StreamRecord[], call: LaneCall): Promise<boolean> {
  const batch = openStreamBatch(records, run.context.surroundings.newId());
  const carriage: Carriage = { run, lane, call, batch, payload: undefined, attempts: 0, error: '' };
  run.batches += 1;
  try {
    for (;;) {
      const step = stepOf(carriage);
      if (step.kind === 'done') return true;
      if (!(await perform(carriage, step))) return false;
    }
  } finally {
    const left = carriage.batch.pieces[0]?.records[0];
    if (left !== undefined && run.isBehind(left)) run.breakOff();
    run.batches -= 1;
    run.notice.unblock(lane);
    run.bell.ring();
  }
}

function stepOf({ run, call, batch }: Carriage): StreamStep {
  const { clock, newId } = run.context.surroundings;
  return nextStep(batch, rulesOf(run, call), clock.nowMs(), newId);
}

function rulesOf({ context }: ShardRun, call: LaneCall): StreamRules {
  const { maximumRetryAttempts, maximumRecordAgeInSeconds, bisectBatchOnFunctionError } = context.mapping;
  return { maximumRetryAttempts, maximumRecordAgeInSeconds, bisectBatchOnFunctionError, recordBytesMax: call.recordBytesMax() };
}

/** @returns false if the run stops and the step was not done */
async function perform(carriage: Carriage, step: Exclude<StreamStep, { readonly kind: 'done' }>): Promise<boolean> {
  const { run, lane, call } = carriage;
  switch (step.kind) {
    case 'invoke':
      return await invoke(carriage, step);
    case 'wait':
      return await wait(carriage, step);
    case 'discard':
      if (!(await deliverFailure(run, lane, step.failure, call))) return false;
      carriage.batch = step.next;
      return true;
    case 'checkpoint':
      carriage.batch = step.next;
      return await settle(carriage, step.records);
  }
}

/** The records are terminal. What depends on that waits until a write that covers them is known good. */
async function settle({ run, lane, call }: Carriage, records: readonly StreamRecord[]): Promise<boolean> {
  const { notice, writer, bell, over } = run;
  if (over.aborted) return false;
  const before = run.checkpoint;
  run.done(lane, records);
  // An older record of another lane, or a part of an aggregate, may keep the position where it is: there is nothing to write then.
  const hasMoved = run.checkpoint !== before;
  if (hasMoved) call.commit();
  notice.unblock(lane);
  bell.ring();
  return !hasMoved || (await writer.cover());
}

async function wait(carriage: Carriage, step: Extract<StreamStep, { readonly kind: 'wait' }>): Promise<boolean> {
  const { run, lane, attempts, error } = carriage;
  if (!run.mayBegin()) return false;
  run.notice.block(lane, { reason: step.reason, attempts, error: error === '' ? UNTRIED_ERRORS[step.reason] : error }, step.ms);
  await run.context.surroundings.clock.sleep(step.ms, run.stopping);
  carriage.batch = step.next;
  return run.mayBegin();
}

/** What is told of a batch that waits without having been tried. */
const UNTRIED_ERRORS: Readonly<Record<WaitReason, string>> = {
  functionError: 'function error',
  refused: 'not invoked',
  tooLarge: 'the record fits into no event',
};

async function invoke(carriage: Carriage, step: InvokeStep): Promise<boolean> {
  const { run, call } = carriage;
  const permission = await askPermission(run, step);
  // Nobody stopped: the time of the first record is up.
  if (permission === undefined) return run.mayBegin();
  const attempt = await attemptNow(carriage, permission);
  if (attempt === 'other step') return true;
  if (attempt === undefined) return false;
  const numbers = attempt.records.map((record) => record.sequenceNumber);
  const verdict = call.judge(attempt.result, numbers);
  const { surroundings } = run.context;
  const after = afterInvocation(carriage.batch, verdict, rulesOf(run, call), surroundings);
  tellInvoked(run, attempt, verdict, after.decision);
  carriage.attempts = attempt.number;
  carriage.error = verdict.error ?? '';
  if (run.over.aborted || !(await call.beforeSettling())) return false;
  carriage.batch = after.batch;
  return true;
}

/** Waits for the right to invoke, as long as the first record may be invoked at all. */
async function askPermission(run: ShardRun, step: InvokeStep): Promise<Permission | undefined> {
  const { desk, mapping, surroundings } = run.context;
  if (!run.mayInvoke(step.records)) return undefined;
  const now = desk.takeNow();
  if (now !== undefined) return now;
  const { clock } = surroundings;
  const [first] = step.records;
  const expiresAt = first === undefined ? undefined : expiresAtMs(first, mapping.maximumRecordAgeInSeconds);
  const leftMs = (): number => (expiresAt === undefined ? Infinity : expiresAt - clock.nowMs());
  return await desk.take('go', () => clock.monotonicMs() + leftMs(), run.stopping);
}

/**
 * One attempt under the permission, which it ends: at what the batch is now, since records may have become too old while it waited.
 * @returns `undefined` if the run stops instead
 */
async function attemptNow(carriage: Carriage, permission: Permission): Promise<Attempt | 'other step' | undefined> {
  const { run, call } = carriage;
  const step = stepOf(carriage);
  const isInvoke = step.kind === 'invoke';
  if (!isInvoke || !run.mayInvoke(step.records)) {
    permission.end();
    if (permission.passage === 'probe') run.context.gate.giveUpProbe();
    return isInvoke ? undefined : 'other step';
  }
  if (carriage.payload?.batchId !== step.batchId) carriage.payload = { batchId: step.batchId, bytes: call.encode(step.records) };
  return await invokeOnce(run, step, carriage.payload.bytes, permission);
}
