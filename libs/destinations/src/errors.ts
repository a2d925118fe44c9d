import { createToSourceError, type ToSourceError } from '@wherry/core/aws-fault';

/**
 * The `SourceError` of a call to SNS.
 *
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
 */
export const toSnsError: ToSourceError = createToSourceError({
  notFound: ['NotFound', 'NotFoundException'],
  throttled: ['KMSThrottling', 'KMSThrottlingException', 'Throttled'],
  accessDenied: [
    'AuthorizationError',
    'AuthorizationErrorException',
    'InvalidSecurity',
    'InvalidSecurityException',
    'KMSAccessDenied',
    'KMSAccessDeniedException',
  ],
  unavailable: [
    'InternalErrorException',
    'KMSDisabled',
    'KMSDisabledException',
    'KMSInvalidState',
    'KMSInvalidStateException',
    'KMSNotFound',
    'KMSNotFoundException',
    'KMSOptInRequired',
  ],
  invalid: ['InvalidParameter', 'InvalidParameterException', 'ParameterValueInvalid'],
});

/**
 * The `SourceError` of a call to S3.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
export const toS3Error: ToSourceError = createToSourceError({
  // An answer without a body, such as that of HeadBucket, has no more than the name of its status.
  notFound: ['NoSuchBucket', 'NotFound'],
  throttled: ['KMS.ThrottlingException'],
  accessDenied: [
    'AccountProblem',
    'AllAccessDisabled',
    'InvalidAccessKeyId',
    'InvalidToken',
    'KMS.AccessDeniedException',
    'NotSignedUp',
    'RequestTimeTooSkewed',
  ],
  unavailable: ['KMS.DisabledException', 'KMS.KMSInvalidStateException', 'KMS.NotFoundException', 'OperationAborted'],
  invalid: ['EntityTooLarge', 'InvalidBucketName', 'InvalidRequest', 'KeyTooLongError', 'PermanentRedirect'],
});
