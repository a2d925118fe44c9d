import type { FunctionDefinition } from './mapping.ts';

/**
 * Where an invocation comes from, told to the target so that a consumer can fence or deduplicate: as one line of JSON in
 * `X-Wherry-Delivery`, and for the Lambda API under `custom.wherry` of the client context.
 */
export interface Delivery {
  readonly fleet: string;
  /** Name of the mapping. */
  readonly mapping: string;
  /** Queue or stream ARN. */
  readonly source: string;
  /** The same id on every repeat of the same batch. */
  readonly batch: string;
  /** 1 for the first attempt of this batch by this poller. */
  readonly attempt: number;
  /** Records in the batch. */
  readonly records: number;
  /** First and last message id (queues) or sequence number (streams). */
  readonly first: string;
  readonly last: string;
  /** Epoch of the lease under which the batch was read. */
  readonly epoch: number;
}

/** One attempt to run a function. */
export interface InvokeRequest {
  readonly function: FunctionDefinition;
  readonly qualifier?: string;
  /** The event as UTF-8 bytes; never changed, hashed or re-serialised by a target. */
  readonly payload: Uint8Array;
  readonly requestId: string;
  readonly delivery: Delivery;
  /** `X-Amzn-Trace-Id` to hand on. */
  readonly traceId?: string;
  /** Aborts the call; the answer is then `unavailable`. The deadline (`Timeout`) is the invoker's own business. */
  readonly signal: AbortSignal;
}

/** What a target says about a run of the function, beside its answer. */
interface RanAs {
  /** `$LATEST` or a version number. */
  readonly executedVersion?: string;
  /** The id under which the function ran, where the target chose it: Lambda's own, which its logs show, is never the request's. */
  readonly requestId?: string;
}

/**
 * What came of one attempt. Only `functionError` and `timedOut` mean that the function's own code may have failed and are
 * counted against retry budgets; `throttled` and `unavailable` are free of charge.
 */
export type InvokeResult =
  | (RanAs & { readonly kind: 'success'; readonly body: Uint8Array; readonly durationMs: number })
  | (RanAs & {
      readonly kind: 'functionError';
      readonly errorType: string;
      readonly errorMessage: string;
      readonly body: Uint8Array;
      readonly durationMs: number;
    })
  | { readonly kind: 'throttled'; readonly reason: string; readonly retryAfterMs?: number; readonly durationMs: number }
  /** The function did not run, or nobody can tell: connection refused or cut, 5xx of the service, access denied, function gone. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly permanent: boolean; readonly durationMs: number }
  /** No answer within the deadline; the handler may have run. */
  | { readonly kind: 'timedOut'; readonly durationMs: number }
  /** The request is larger than the target takes (413). */
  | { readonly kind: 'tooLarge'; readonly reason: string; readonly durationMs: number }
  /** The target refused the request itself (400): counted as a function error, else it would block for ever. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly durationMs: number };

/**
 * Whether the function gave no answer in time, whoever noticed: this side, whose deadline passed, or Lambda and the Runtime
 * Interface Emulator, which end a slow function themselves and say so with the error type `Sandbox.Timedout`.
 */
export function isTimeout(result: InvokeResult): boolean {
  return result.kind === 'timedOut' || (result.kind === 'functionError' && result.errorType === 'Sandbox.Timedout');
}

/** Runs functions. Never throws, never retries: the policies of `libs/core` are the only retry owner. */
export interface Invoker {
  invoke(request: InvokeRequest): Promise<InvokeResult>;
  /** Closes idle connections; running invocations are left to their signals. */
  close(): Promise<void>;
}
