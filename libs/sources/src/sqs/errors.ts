import type { SettleOutcome } from '@wherry/core/queue-source';
import { bareSqsErrorName } from '@wherry/core/sqs-fault';

/** Names that say of one entry of a batch: this receipt is no longer good, somebody else has or will have the message. */
const GONE_CODES: ReadonlySet<string> = new Set([
  'InvalidIdFormat',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MessageNotInflight',
  'ReceiptHandleIsInvalid',
]);

/**
 * What a failed entry of a settle call means. `InvalidParameterValue` is how SQS refuses the stale receipt of a FIFO
 * message, but also a visibility timeout beyond the 12 hours a message may stay received; the second is a failure.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
export function settleOutcome(code: string, message: string): SettleOutcome {
  const isGone = GONE_CODES.has(bareSqsErrorName(code)) && !message.includes('VisibilityTimeout');
  return isGone ? 'gone' : 'failed';
}
