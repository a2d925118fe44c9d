import type { SettleOutcome } from '@wherry/core/queue-source';
import { bareErrorName as bareNameOfAws, createToSourceError, type ToSourceError } from '../aws/fault-codes.ts';

/** Names that say of one entry of a batch: this receipt is no longer good, somebody else has or will have the message. */
const GONE_CODES: ReadonlySet<string> = new Set([
  'InvalidIdFormat',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MessageNotInflight',
  'ReceiptHandleIsInvalid',
]);

/** The bare name of an error: without the old protocol's prefix, a `namespace#` before it or a `:url` behind it. */
export function bareErrorName(name: string): string {
  return bareNameOfAws(name).replace(/^AWS\.SimpleQueueService\./, '');
}

/**
 * The `SourceError` of an SQS call. Names stand here without the `AWS.SimpleQueueService.` prefix of the older protocol, which
 * emulators still send.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export const toSourceError: ToSourceError = createToSourceError(
  {
    notFound: ['QueueDoesNotExist', 'NonExistentQueue', 'QueueDeletedRecently'],
    throttled: ['KMS.ThrottlingException', 'KmsThrottled', 'OverLimit'],
    accessDenied: ['InvalidSecurity', 'KMS.AccessDeniedException', 'KmsAccessDenied'],
    unavailable: [
      'KMS.DisabledException',
      'KMS.InvalidKeyUsageException',
      'KMS.InvalidStateException',
      'KMS.NotFoundException',
      'KMS.OptInRequired',
      'KmsDisabled',
      'KmsInvalidKeyUsage',
      'KmsInvalidState',
      'KmsNotFound',
      'KmsOptInRequired',
    ],
    invalid: [
      'BatchEntryIdsNotDistinct',
      'BatchRequestTooLong',
      'EmptyBatchRequest',
      'InvalidAddress',
      'InvalidAttributeName',
      'InvalidAttributeValue',
      'InvalidBatchEntryId',
      'InvalidIdFormat',
      'TooManyEntriesInBatchRequest',
      'UnsupportedOperation',
    ],
  },
  bareErrorName,
);

/**
 * What a failed entry of a settle call means. `InvalidParameterValue` is how SQS refuses the stale receipt of a FIFO
 * message, but also a visibility timeout beyond the 12 hours a message may stay received; the second is a failure.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
export function settleOutcome(code: string, message: string): SettleOutcome {
  const isGone = GONE_CODES.has(bareErrorName(code)) && !message.includes('VisibilityTimeout');
  return isGone ? 'gone' : 'failed';
}
