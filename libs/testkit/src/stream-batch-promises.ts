import type { StreamRecord } from '@wherry/core/stream-source';
import { type StreamBatchDeed, type StreamBatchScenario, listed, numberOf } from './stream-batch-run.ts';

type Invocation = Extract<StreamBatchDeed, { readonly kind: 'invoke' }>;

/**
 * Looks for a broken promise in what a loop did with a batch, whatever the function answered. It knows the promises alone, not
 * how the policy keeps them. Records are numbered from 0, in order.
 * @returns the first promise that is broken, with where; `undefined` if all are kept
 */
export function brokenPromise(deeds: readonly StreamBatchDeed[], scenario: StreamBatchScenario): string | undefined {
  const { rules, records } = scenario;
  /** Records with a lower number are in the checkpoint. */
  let done = 0;
  let last: Invocation | undefined;
  let discarded: readonly StreamRecord[] = [];
  const byBatch = new Map<string, Invocation[]>();
  for (const deed of deeds) {
    switch (deed.kind) {
      case 'wait':
        if (!(deed.ms > 0 && deed.ms <= 300_000)) return `pauses have bounds: ${deed.ms}`;
        break;
      case 'invoke': {
        if (discarded.length > 0) return `records that were given up are checkpointed before anything else runs: ${listed(discarded)}`;
        if (!isNext(deed.records, done)) return `records run in order: ${listed(deed.records)} while ${done} is the next`;
        if (isExpired(deed.records[0], scenario, deed.atMs)) return `what is too old never runs: ${listed(deed.records)}`;
        if (deed.records.length === 1 && isLarge(deed.records[0], scenario)) return `what is too large never runs: ${listed(deed.records)}`;
        const same = byBatch.get(deed.batchId) ?? [];
        byBatch.set(deed.batchId, [...same, deed]);
        if (same.some((other) => listed(other.records) !== listed(deed.records))) return `an id stands for one batch: ${deed.batchId}`;
        if (deed.attempt !== same.length + 1) return `attempts of a batch are numbered: ${deed.attempt}`;
        const spent = same.filter(isCounted).length;
        if (rules.maximumRetryAttempts >= 0 && spent > rules.maximumRetryAttempts) return `retries have an end: ${listed(deed.records)}`;
        last = deed;
        break;
      }
      case 'discard': {
        discarded = deed.failure.records;
        if (!isNext(discarded, done)) return `records are given up in order: ${listed(discarded)} while ${done} is the next`;
        const broken = brokenDiscard(deed, last, scenario);
        if (broken !== undefined) return broken;
        break;
      }
      case 'checkpoint': {
        if (!isNext(deed.records, done)) return `the checkpoint moves record by record: ${listed(deed.records)} while ${done} is the next`;
        const succeeded = last === undefined ? [] : succeededOf(last);
        const isTerminal = (record: StreamRecord): boolean => discarded.includes(record) || succeeded.includes(record);
        if (!deed.records.every(isTerminal)) return `the checkpoint waits for what is not terminal: ${listed(deed.records)}`;
        if (discarded.some((record) => succeeded.includes(record))) return `what succeeded is not given up: ${listed(discarded)}`;
        done += deed.records.length;
        discarded = [];
        last = undefined;
        break;
      }
    }
  }
  if (done !== records.length) return `every record ends: ${done} of ${records.length}`;
  return brokenBudget([...byBatch.values()], scenario);
}

function brokenDiscard(
  { failure }: Extract<StreamBatchDeed, { readonly kind: 'discard' }>,
  last: Invocation | undefined,
  scenario: StreamBatchScenario,
): string | undefined {
  const { condition, records, approximateInvokeCount, response } = failure;
  if (condition === 'RecordAgeExceeded') {
    if (response !== undefined) return `a document about age has no response: ${listed(records)}`;
    const isOld = records.every((record) => isExpired(record, scenario, failure.discardedAtMs));
    return isOld ? undefined : `only what is too old is given up for its age: ${listed(records)}`;
  }
  if (approximateInvokeCount !== scenario.rules.maximumRetryAttempts + 1) return `all retries are used: ${approximateInvokeCount}`;
  if (records.length === 1 && isLarge(records[0], scenario)) return response === undefined ? undefined : 'what never ran has no response';
  if (last === undefined || !isCounted(last)) return `what is given up has failed last: ${listed(records)}`;
  return listed(last.records) === listed(records) ? undefined : `a batch is given up as it failed: ${listed(records)}`;
}

/** How often a record can be part of a counted failure: its own budget, and with bisect the halvings above it. */
function brokenBudget(batches: readonly (readonly Invocation[])[], { rules, records }: StreamBatchScenario): string | undefined {
  const counted = batches.flat().filter(isCounted);
  const hasFreshBudgets =
    counted.some(({ answer }) => answer.kind === 'report' || answer.kind === 'tooLarge') || rules.maximumRecordAgeInSeconds >= 0;
  if (rules.maximumRetryAttempts < 0 || hasFreshBudgets) return undefined;
  const halvings = rules.bisectBatchOnFunctionError ? Math.ceil(Math.log2(records.length)) : 0;
  const most = rules.maximumRetryAttempts + 1 + halvings;
  const over = records.find((record) => counted.filter((invocation) => invocation.records.includes(record)).length > most);
  return over && `no record fails more than ${most} times: ${numberOf(over)}`;
}

function isNext(records: readonly StreamRecord[], done: number): boolean {
  return records.length > 0 && records.every((record, place) => numberOf(record) === done + place);
}

function isCounted({ answer }: Invocation): boolean {
  return !['ok', 'throttled', 'unreachable'].includes(answer.kind) && !(answer.kind === 'report' && answer.failed.length === 0);
}

function succeededOf({ answer, records }: Invocation): readonly StreamRecord[] {
  if (answer.kind === 'ok') return records;
  return answer.kind === 'report' ? records.slice(0, Math.min(records.length, ...answer.failed)) : [];
}

function isExpired(record: StreamRecord | undefined, { rules }: StreamBatchScenario, nowMs: number): boolean {
  const { maximumRecordAgeInSeconds } = rules;
  return record !== undefined && maximumRecordAgeInSeconds >= 0 && record.arrivedAtMs <= nowMs - maximumRecordAgeInSeconds * 1_000;
}

function isLarge(record: StreamRecord | undefined, { rules }: StreamBatchScenario): boolean {
  return record !== undefined && record.recordBytes > rules.recordBytesMax;
}
