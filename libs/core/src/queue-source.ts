/**
 * The port of queue-shaped sources: each message is received under a lease of the queue's own (the visibility timeout) and
 * settled by itself. SQS is the first; the asynchronous event queue is the second. The queue loop knows only this.
 */

/** One message, already in the form in which the function will see it. */
export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** The record as it will stand in the event's `Records` list: JSON text, written once. */
  readonly recordJson: string;
  /** UTF-8 length of `recordJson`. */
  readonly recordBytes: number;
  /** FIFO message group; present only where the source orders by group. */
  readonly messageGroupId?: string;
  /** Epoch milliseconds at which the producer sent it; for age metrics. */
  readonly sentAtMs: number;
  /** How often the source has handed it out, this time included. */
  readonly receiveCount: number;
  /** `AWSTraceHeader`, if the producer set one. */
  readonly traceHeader?: string;
  /** Monotonic time at which the queue may give the message to somebody else. Measured from when the receive was *sent*. */
  readonly visibleAgainAtMs: number;
}

/** What one receive asks of a queue. */
export interface ReceiveRequest {
  /** 1 to 10. */
  readonly maxMessages: number;
  /** Long poll, 0 to 20 s. */
  readonly waitTimeSeconds: number;
  /** Overrides the queue's own visibility timeout for this receive. */
  readonly visibilityTimeoutSeconds?: number;
  /**
   * Aborts the poll at once. Only for `kill`: aborting a long poll can lose the next message until its visibility ends, so
   * a drain lets the poll return.
   */
  readonly signal: AbortSignal;
}

/** Result per message of a settle call, in the order asked. `gone` means the receipt is no longer valid (a duplicate delivery, not an error). */
export type SettleOutcome = 'done' | 'gone' | 'failed';

/** What the loop has to know about the queue itself; read at start and then every few minutes. */
export interface QueueAttributes {
  readonly visibilityTimeoutSeconds: number;
  readonly approximateNumberOfMessages: number;
  readonly approximateNumberOfMessagesNotVisible: number;
  readonly approximateNumberOfMessagesDelayed: number;
}

/** Methods throw `SourceError`. At most 10 entries per delete or change call. */
export interface QueueSource {
  receive(request: ReceiveRequest): Promise<QueueMessage[]>;
  delete(messages: readonly QueueMessage[]): Promise<SettleOutcome[]>;
  changeVisibility(messages: readonly QueueMessage[], timeoutSeconds: number): Promise<SettleOutcome[]>;
  attributes(): Promise<QueueAttributes>;
  /** Forgets what was learnt about the queue (its URL), so that a re-created queue is found again by name. */
  refresh(): void;
  close(): void;
}
