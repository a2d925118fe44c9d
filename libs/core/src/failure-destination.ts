import type { Discarded } from './stream/stream-batch.ts';
import type { FailureOrigin } from './stream/failure-record.ts';

/** Records that were given up, with all that a destination may tell of them. */
export interface FailureDelivery {
  /** Fresh for each batch that is given up, the same at every try, so that a repeat can be told. A UUID. */
  readonly id: string;
  readonly failure: Discarded;
  readonly origin: FailureOrigin;
  /** The event as the function would have seen it, UTF-8; made only where a destination keeps it. */
  readonly event: () => Uint8Array;
}

/** Where failure records go. One per mapping. */
export interface FailureDestination {
  /**
   * Resolves when the destination has confirmed that it holds the record. Throws `SourceError` otherwise; a repeat of a delivery that did
   * arrive is harmless, or makes a second copy where the service cannot tell.
   */
  deliver(delivery: FailureDelivery, signal: AbortSignal): Promise<void>;
  close(): void;
}
