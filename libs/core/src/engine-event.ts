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
      /** Streams: the shard. */
      readonly shard?: string;
      /** Streams: age of the last event of the batch when the attempt began, which is Lambda's `IteratorAge`. */
      readonly lastAgeMs?: number;
      /** Streams: this attempt split the batch in two (`BisectBatchOnFunctionError`, or it was too large). */
      readonly isBisected?: boolean;
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
      /** With `resolved`: this poller does not read what it was about any more. Whether it could is not known. */
      readonly isLeft?: true;
    }
  | { readonly type: 'gate'; readonly target: string; readonly state: 'open' | 'probing' | 'closed' | 'throttled'; readonly reason: string }
  | { readonly type: 'storeUp'; readonly up: boolean; readonly message: string }
  /** A checkpoint was written, or refused: then the lease is somebody else's, and what follows is read again there. */
  | {
      readonly type: 'checkpointed';
      readonly mapping: string;
      readonly shard: string;
      readonly result: 'written' | 'fenced' | 'regression' | 'failed';
      /** Events that became covered by this write; 0 or absent unless it was written. */
      readonly events?: number;
    }
  /** Age of the last record of a page when it was read, or how far the source says that the reader is behind; 0 at the tip. */
  | { readonly type: 'iteratorAge'; readonly mapping: string; readonly shard: string; readonly ageMs: number }
  /** A lane keeps failing on one batch, or waits for a failure destination; `attempts` is 0 when it goes on. */
  | {
      readonly type: 'blocked';
      readonly mapping: string;
      readonly shard: string;
      readonly lane: number;
      readonly reason: 'functionError' | 'refused' | 'tooLarge' | 'destination';
      readonly attempts: number;
      /** Error type or reason, never the function's payload. */
      readonly error: string;
    }
  /** Records were given up; they go to the failure destination, or nowhere if there is none. */
  | {
      readonly type: 'discarded';
      readonly mapping: string;
      readonly shard: string;
      readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
      readonly events: number;
      readonly batch: string;
      readonly firstSequenceNumber: string;
      readonly lastSequenceNumber: string;
    }
  /**
   * One try to deliver a failure record. `dropped`: it failed too, the tries are used up, and the records are lost, as `drop` allows; or
   * there is no destination (`none`), where nothing was tried.
   */
  | {
      readonly type: 'destination';
      readonly mapping: string;
      readonly shard: string;
      readonly destination: 'sqs' | 'sns' | 's3' | 'failed' | 'none';
      /** Why the records were given up. */
      readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
      readonly outcome: 'delivered' | 'failed' | 'dropped';
      readonly events: number;
      readonly message?: string;
    }
  /** What became of shards, by id. */
  | {
      readonly type: 'shards';
      readonly mapping: string;
      /**
       * `found`: they have leases now. `ended`: read to their end. `retired`: gone from the stream. `vanished`: gone before they were read
       * to their end. `lost`: their checkpoint is gone, they are read from the oldest record. `stopped`: as `lost`, but they wait for a
       * person. `damaged`: their checkpoint cannot be read. `trimmed`: their position is older than the stream's retention.
       * `windowLost`: the state of their open window cannot be read; it begins with `{}`, and no record is lost.
       */
      readonly change: 'found' | 'ended' | 'retired' | 'vanished' | 'lost' | 'stopped' | 'damaged' | 'trimmed' | 'windowLost';
      readonly shards: readonly string[];
    }
  /** People paused or resumed a mapping. */
  | { readonly type: 'paused'; readonly mapping: string; readonly by: string; readonly reason: string }
  | { readonly type: 'resumed'; readonly mapping: string }
  /** A programming error was caught at a mapping's boundary: that mapping restarts, the others never notice. */
  | { readonly type: 'crashed'; readonly mapping: string; readonly error: unknown };

/** Where the engine reports. Must not throw and must not wait: it is called from the hot path. */
export type Observe = (event: EngineEvent) => void;
