import type { StreamRecord } from '@wherry/core/stream-source';
import { type StreamBatchScenario, listed } from './stream-batch-run.ts';

/**
 * How a failed batch of a stream is handled, said once more as plainly as possible: a recursive method that runs a batch to
 * its end, with time as a variable. Slow and obvious; the policy of `libs/core` has to do the same, line by line.
 * @returns what `tellDeeds` says of a run of the real policy
 */
export function referenceDeeds(scenario: StreamBatchScenario): string[] {
  const reference = new Reference(scenario);
  reference.run(scenario.records, 0);
  return reference.lines;
}

class Reference {
  readonly lines: string[] = [];
  readonly #scenario: StreamBatchScenario;
  #nowMs: number;
  #invocations = 0;
  #refusals = 0;
  #batches = 0;

  constructor(scenario: StreamBatchScenario) {
    this.#scenario = scenario;
    this.#nowMs = scenario.startMs;
  }

  /** @param failuresBefore failures in a row of the batch that this one is the rest of */
  run(records: readonly StreamRecord[], failuresBefore: number): void {
    const { maximumRetryAttempts, maximumRecordAgeInSeconds, bisectBatchOnFunctionError, recordBytesMax } = this.#scenario.rules;
    let name = 0;
    let attempts = 0;
    let counted = 0;
    for (;;) {
      const expired = records.filter((_, place) => records.slice(0, place + 1).every((record) => this.#hasExpired(record))).length;
      if (expired > 0) {
        this.#giveUp(records.slice(0, expired), 'RecordAgeExceeded', Math.max(1, counted));
        if (expired < records.length) this.run(records.slice(expired), failuresBefore + counted);
        return;
      }
      if (records.length === 1 && records[0]!.recordBytes > recordBytesMax) {
        if (maximumRetryAttempts !== -1) return this.#giveUp(records, 'RetryAttemptsExhausted', maximumRetryAttempts + 1);
        this.#wait(Math.min(60_000, records[0]!.arrivedAtMs + maximumRecordAgeInSeconds * 1_000 - this.#nowMs));
        continue;
      }

      if (attempts === 0) name = this.#batches += 1;
      attempts += 1;
      this.lines.push(`invoke ${listed(records)} as batch ${name}, attempt ${attempts}, at ${this.#nowMs}`);
      const answer = this.#scenario.answer(records, this.#invocations);
      this.#invocations += 1;
      this.#nowMs += this.#scenario.takesMs;

      if (answer.kind === 'throttled' || answer.kind === 'unreachable') {
        this.#refusals += 1;
        this.#wait(Math.max(answer.kind === 'throttled' ? answer.retryAfterMs : 0, pauseAfter(this.#refusals)));
        continue;
      }
      this.#refusals = 0;
      if (answer.kind === 'ok' || (answer.kind === 'report' && answer.failed.length === 0)) return this.#checkpoint(records);

      if (answer.kind === 'report' && Math.min(...answer.failed) > 0) {
        const from = Math.min(...answer.failed);
        this.#checkpoint(records.slice(0, from));
        this.#wait(pauseAfter(1));
        return this.run(records.slice(from), 0);
      }
      if (records.length > 1 && (bisectBatchOnFunctionError || answer.kind === 'tooLarge')) {
        const half = Math.floor(records.length / 2);
        this.run(records.slice(0, half), 0);
        return this.run(records.slice(half), 0);
      }

      counted += 1;
      if (maximumRetryAttempts !== -1 && counted > maximumRetryAttempts) {
        if (answer.kind === 'tooLarge') return this.#giveUp(records, 'RetryAttemptsExhausted', counted);
        const answered = answer.kind === 'report' || answer.kind === 'malformed';
        return this.#giveUp(records, 'RetryAttemptsExhausted', counted, answered ? null : 'Unhandled');
      }
      this.#wait(pauseAfter(failuresBefore + counted));
    }
  }

  #hasExpired(record: StreamRecord): boolean {
    const { maximumRecordAgeInSeconds } = this.#scenario.rules;
    return maximumRecordAgeInSeconds !== -1 && this.#nowMs - record.arrivedAtMs >= maximumRecordAgeInSeconds * 1_000;
  }

  #wait(ms: number): void {
    this.lines.push(`wait ${ms}`);
    this.#nowMs += ms;
  }

  #checkpoint(records: readonly StreamRecord[]): void {
    this.lines.push(`checkpoint ${listed(records)}`);
  }

  #giveUp(records: readonly StreamRecord[], condition: string, count: number, error?: 'Unhandled' | null): void {
    this.lines.push(`discard ${listed(records)} ${condition} after ${count}, response ${error}`);
    this.#checkpoint(records);
  }
}

function pauseAfter(failures: number): number {
  return Math.min(60_000, 250 * 2 ** (failures - 1));
}
