import type { Clock } from '@wherry/core/clock';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';

/** A result without its duration, which the fake measures. */
export type ScriptedResult = InvokeResult extends infer Result ? (Result extends unknown ? Omit<Result, 'durationMs'> : never) : never;

/** One invocation as the fake saw it. */
export interface SeenInvocation {
  readonly request: InvokeRequest;
  readonly messageIds: readonly string[];
  readonly receiveCounts: readonly number[];
  readonly startedAtMs: number;
  endedAtMs: number | undefined;
}

/** How the fake function behaves. */
export interface FakeInvokerOptions {
  readonly clock: Clock;
  /** How long the function takes; 0 if absent. */
  readonly durationMs?: number | ((invocation: SeenInvocation) => number);
  /** What it answers to its n-th invocation (from 0); success without a body if absent. May throw, to break the port's promise. */
  readonly answer?: (invocation: SeenInvocation, index: number) => ScriptedResult;
}

/** A function that answers as the test says, and remembers what it was asked. A kill cuts it off, as it does a real one. */
export class FakeInvoker implements Invoker {
  readonly seen: SeenInvocation[] = [];
  running = 0;
  /** Most invocations ever in flight at a time. */
  peak = 0;
  readonly #options: FakeInvokerOptions;

  constructor(options: FakeInvokerOptions) {
    this.#options = options;
  }

  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const { clock, durationMs = 0, answer = () => success() } = this.#options;
    const startedAtMs = clock.monotonicMs();
    const records = recordsOf(request.payload);
    const invocation: SeenInvocation = {
      request,
      messageIds: records.map((record) => record.messageId),
      receiveCounts: records.map((record) => Number(record.attributes.ApproximateReceiveCount)),
      startedAtMs,
      endedAtMs: undefined,
    };
    const index = this.seen.push(invocation) - 1;
    this.running += 1;
    this.peak = Math.max(this.peak, this.running);
    try {
      const result = answer(invocation, index);
      await clock.sleep(typeof durationMs === 'number' ? durationMs : durationMs(invocation), request.signal);
      const tookMs = clock.monotonicMs() - startedAtMs;
      if (request.signal.aborted) return { kind: 'unavailable', reason: 'aborted', permanent: false, durationMs: tookMs };
      return { ...result, durationMs: tookMs };
    } finally {
      invocation.endedAtMs = clock.monotonicMs();
      this.running -= 1;
    }
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

/** The function's answer; text is sent as it is, anything else as JSON, nothing as an empty body. */
export function success(answer?: unknown): ScriptedResult {
  const text = answer === undefined ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer);
  return { kind: 'success', body: new TextEncoder().encode(text) };
}

/** The function's code failed. */
export function functionError(errorType = 'Error'): ScriptedResult {
  return { kind: 'functionError', errorType, errorMessage: 'it failed', body: new Uint8Array() };
}

/** The target has no capacity. */
export function throttled(retryAfterMs?: number): ScriptedResult {
  return { kind: 'throttled', reason: 'TooManyRequestsException', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The target cannot be reached. */
export function unavailable(reason = 'connection refused'): ScriptedResult {
  return { kind: 'unavailable', reason, permanent: false };
}

interface SeenRecord {
  readonly messageId: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

function recordsOf(payload: Uint8Array): readonly SeenRecord[] {
  return (JSON.parse(new TextDecoder().decode(payload)) as { readonly Records: readonly SeenRecord[] }).Records;
}
