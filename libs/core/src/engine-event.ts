import type { FaultCode } from './source-error.ts';

/** How one attempt ended, as the `outcome` label of `wherry_invocations_total` has it. */
export type InvocationOutcome = 'success' | 'partial' | 'function_error' | 'throttled' | 'timeout' | 'unreachable';

/** State of a mapping as Lambda names them (spec event-source-mappings 10.1). */
export type MappingState = 'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting';

/**
 * Everything worth telling that happens in the engine. The engine emits these and nothing else: `libs/observe` turns them
 * into log lines and metrics, the simulation turns them into its ledger. Never a payload, never a receipt handle.
 */
export type EngineEvent =
  | {
      readonly type: 'polled';
      readonly mapping: string;
      readonly outcome: 'events' | 'empty' | 'throttled' | 'error';
      readonly events: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  | { readonly type: 'filtered'; readonly mapping: string; readonly events: number }
  | {
      readonly type: 'invoked';
      readonly mapping: string;
      readonly function: string;
      readonly outcome: InvocationOutcome;
      readonly batch: string;
      readonly attempt: number;
      readonly requestId: string;
      /** `X-Amzn-Trace-Id` that was handed on, if a message had one. */
      readonly traceId?: string;
      readonly events: number;
      /** Events whose invocation failed: all of them, or those listed in `batchItemFailures`. */
      readonly failed: number;
      readonly bytes: number;
      readonly durationMs: number;
      /** Age of the oldest event when the attempt began. */
      readonly ageMs: number;
      /** Error type or reason, never the function's payload. */
      readonly error?: string;
    }
  | {
      readonly type: 'settled';
      readonly mapping: string;
      readonly action: 'deleted' | 'released' | 'extended';
      readonly done: number;
      /** Receipts no longer valid: delivered twice. */
      readonly gone: number;
      readonly failed: number;
    }
  /** Messages dropped from memory without an invocation because their visibility ran out; the queue hands them out again. */
  | { readonly type: 'expired'; readonly mapping: string; readonly events: number }
  | {
      readonly type: 'lease';
      readonly event: 'acquired' | 'lost' | 'released' | 'handed_over';
      readonly unit: string;
      readonly epoch: number;
    }
  | { readonly type: 'scaled'; readonly mapping: string; readonly slots: number }
  | { readonly type: 'mappingState'; readonly mapping: string; readonly state: MappingState; readonly reason: string }
  /** Trouble of one mapping that retries by itself, such as a missing queue; `resolved` when it went away. */
  | {
      readonly type: 'problem';
      readonly mapping: string;
      readonly code: FaultCode;
      readonly message: string;
      readonly resolved: boolean;
    }
  | { readonly type: 'gate'; readonly target: string; readonly state: 'open' | 'probing' | 'closed' | 'throttled'; readonly reason: string }
  | { readonly type: 'storeUp'; readonly up: boolean; readonly message: string }
  /** A programming error was caught at a mapping's boundary: that mapping restarts, the others never notice. */
  | { readonly type: 'crashed'; readonly mapping: string; readonly error: unknown };

/** Where the engine reports. Must not throw and must not wait: it is called from the hot path. */
export type Observe = (event: EngineEvent) => void;
