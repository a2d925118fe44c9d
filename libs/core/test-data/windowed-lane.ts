import type { InvokeResult } from '../src/invoke.ts';
import { failureRecord } from '../src/stream/failure-record.ts';
import { afterInvocation, nextStep, openStreamBatch, type StreamRules } from '../src/stream/stream-batch.ts';
import {
  batchCall,
  belongsTo,
  carryState,
  finalCall,
  nextWindowStep,
  type OpenWindow,
  type QuietRun,
  quietAfter,
  readWindow,
  type WindowCall,
  writeWindow,
} from '../src/stream/tumbling-window.ts';
import { judgeWindowCall } from '../src/stream/window-answer.ts';
import { encodeWindowEvent } from '../src/stream/window-event.ts';
import type { StreamRecord } from '../src/stream-source.ts';

/** An event as the function sees it. */
export interface WindowEvent {
  readonly Records: readonly { readonly n: number }[];
  readonly window: { readonly start: string; readonly end: string };
  readonly state: Readonly<Record<string, unknown>>;
  readonly isFinalInvokeForWindow: boolean;
  readonly isWindowTerminatedEarly: boolean;
}

/** A handler: what it answers, or the result of an invocation that came to no answer. */
export type Handler = (event: WindowEvent, text: string) => unknown;

/** Thrown by a handler: the poller dies after the function has run. */
export class Crash extends Error {}

/** A function error, for handlers. */
export const RAISED: InvokeResult = {
  kind: 'functionError',
  errorType: 'Error',
  errorMessage: 'no',
  body: new Uint8Array(),
  durationMs: 1,
};

/** What the fleet's store has of the shard. */
export interface StoredShard {
  checkpoint: number;
  window: string;
}

/** Record `n` of the shard, which arrived at this wall time. */
export function recordAt(n: number, arrivedAtMs: number): StreamRecord {
  const recordJson = `{"n":${n}}`;
  return { sequenceNumber: String(1_000 + n), arrivedAtMs, orderKey: 'key', recordJson, recordBytes: recordJson.length };
}

const SOURCE = { shardId: 'shardId-000000000000', eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks' };

/** One shard with one lane, carried out as the policies say: a shard loop without its surroundings, in virtual time. */
export class WindowedLane {
  readonly documents: string[] = [];
  nowMs: number;
  readonly #handler: Handler;
  readonly store: StoredShard;
  readonly #settings: { readonly windowMs: number; readonly batchSize: number; readonly report: boolean; readonly rules: StreamRules };
  #open: OpenWindow | undefined;
  #waiting: StreamRecord[] = [];
  #quiet: QuietRun | undefined;
  #ids = 0;

  constructor(
    store: StoredShard,
    handler: Handler,
    settings: Partial<StreamRules> & { readonly windowMs?: number; readonly batchSize?: number; readonly report?: boolean } = {},
    nowMs = 0,
  ) {
    const { windowMs = 10_000, batchSize = 100, report = false, ...rules } = settings;
    const base = { maximumRetryAttempts: -1, maximumRecordAgeInSeconds: -1, bisectBatchOnFunctionError: false, recordBytesMax: 6_000_000 };
    this.#settings = { windowMs, batchSize, report, rules: { ...base, ...rules } };
    this.#handler = handler;
    this.store = store;
    this.nowMs = nowMs;
    const stored = readWindow(store.window);
    if (stored.kind === 'damaged') throw new Error(`damaged window: ${store.window}`);
    this.#open = stored.kind === 'open' ? stored.window : undefined;
  }

  /** Reads a page at the present time and works until the lane waits for the next. */
  page(records: readonly StreamRecord[], { isEnd = false, behindMs }: { isEnd?: boolean; behindMs?: number } = {}): void {
    this.#quiet = quietAfter(this.#quiet, { records, isEnd, ...(behindMs === undefined ? {} : { behindMs }) }, this.nowMs);
    this.#waiting.push(...records);
    for (;;) {
      const shard = { firstArrivedAtMs: this.#waiting[0]?.arrivedAtMs, isEnd, quiet: this.#quiet };
      const step = nextWindowStep(this.#open, shard, this.#settings.windowMs);
      if (step.kind === 'wait') return;
      this.#open = step.window;
      if (step.kind === 'batch') {
        this.#work(this.#gather(step.window));
      } else {
        this.#work([], finalCall(step.window));
        this.#open = undefined;
        this.store.window = writeWindow(this.#open);
      }
    }
  }

  #gather(window: OpenWindow): readonly StreamRecord[] {
    const stranger = this.#waiting.findIndex(({ arrivedAtMs }) => !belongsTo(window, arrivedAtMs));
    return this.#waiting.splice(0, Math.min(this.#settings.batchSize, stranger === -1 ? this.#waiting.length : stranger));
  }

  /** @param last the call, where it has no records; each attempt of a batch has the state there is by then */
  #work(records: readonly StreamRecord[], last?: WindowCall): void {
    const { rules } = this.#settings;
    const newId = (): string => `id-${(this.#ids += 1)}`;
    let batch = openStreamBatch(records, newId());
    for (;;) {
      const step = nextStep(batch, rules, this.nowMs, newId);
      const call = last ?? batchCall(this.#open!);
      switch (step.kind) {
        case 'invoke':
          batch = afterInvocation(batch, this.#invoke(step.records, call), rules, { random: () => 0.5, newId }).batch;
          break;
        case 'wait':
          this.nowMs += step.ms;
          batch = step.next;
          break;
        case 'discard':
          this.documents.push(
            failureRecord(step.failure, { source: 'kinesis', functionArn: 'f', streamArn: 's', shardId: '0', window: call }),
          );
          batch = step.next;
          break;
        case 'checkpoint':
          this.store.checkpoint = Number(step.records.at(-1)!.sequenceNumber) - 1_000;
          this.store.window = writeWindow(this.#open);
          batch = step.next;
          break;
        case 'done':
          return;
      }
    }
  }

  #invoke(records: readonly StreamRecord[], call: WindowCall): ReturnType<typeof judgeWindowCall>['verdict'] {
    const recordJsons = records.map(({ recordJson }) => recordJson);
    const text = new TextDecoder().decode(encodeWindowEvent(recordJsons, SOURCE, call));
    const answer = this.#handler(JSON.parse(text) as WindowEvent, text);
    const body = new TextEncoder().encode(typeof answer === 'string' ? answer : JSON.stringify(answer ?? null));
    const result = answer === RAISED ? RAISED : ({ kind: 'success', body, durationMs: 1 } as const);
    const sequenceNumbers = records.map(({ sequenceNumber }) => sequenceNumber);
    const { verdict, state } = judgeWindowCall(result, sequenceNumbers, this.#settings.report);
    if (state !== undefined && !call.isFinalInvokeForWindow) {
      const carried = carryState(call, state);
      if (carried.kind === 'tooLarge') this.#work([], carried.call);
      this.#open = carried.window;
    }
    return verdict;
  }
}
