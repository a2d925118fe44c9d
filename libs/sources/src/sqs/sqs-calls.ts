import type { Message } from '@aws-sdk/client-sqs';

/**
 * The three calls that every message pays for, apart from the rest of the client so that a thinner transport can take
 * their place. They throw whatever their transport throws; `errors.ts` gives it a class.
 */
export interface SqsCalls {
  /** One long poll. Verifies the MD5 of each body. */
  receiveMessage(request: ReceiveMessageCall, signal: AbortSignal): Promise<readonly Message[]>;
  /** At most 10 receipts. Returns the entries that were refused; the others are deleted. */
  deleteMessageBatch(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly RefusedEntry[]>;
  /** At most 10 receipts. Returns the entries that were refused; the others are changed. */
  changeMessageVisibilityBatch(
    queueUrl: string,
    receiptHandles: readonly string[],
    visibilityTimeoutSeconds: number,
  ): Promise<readonly RefusedEntry[]>;
}

/** One receive, under SQS's own names and units. */
export interface ReceiveMessageCall {
  readonly queueUrl: string;
  readonly maxMessages: number;
  readonly waitTimeSeconds: number;
  readonly visibilityTimeoutSeconds: number;
  /** FIFO only: lets a repeated call return the same messages when the first answer was lost. */
  readonly attemptId?: string;
}

/** One entry of a batch that SQS did not settle. */
export interface RefusedEntry {
  /** Position in the list that was sent. */
  readonly index: number;
  readonly code: string;
  readonly message: string;
}
