import { bareErrorName, createToSourceError, type ToSourceError } from './aws-fault.ts';

/** The bare name of an error: without the old protocol's prefix, a `namespace#` before it or a `:url` behind it. */
export function bareSqsErrorName(name: string): string {
  return bareErrorName(name).replace(/^AWS\.SimpleQueueService\./, '');
}

/**
 * The `SourceError` of an SQS call. Names stand here without the `AWS.SimpleQueueService.` prefix of the older protocol, which
 * emulators still send.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export const toSqsError: ToSourceError = createToSourceError(
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
  bareSqsErrorName,
);
