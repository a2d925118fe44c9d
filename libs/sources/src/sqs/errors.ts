import type { SettleOutcome } from '@wherry/core/queue-source';
import { SourceError, type FaultCode } from '@wherry/core/source-error';

/**
 * Error names of SQS, of AWS in general, of the SDK and of Node's sockets, each with the class that loops react to. Names
 * stand here without the `AWS.SimpleQueueService.` prefix of the older protocol, which emulators still send.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const FAULT_CODES: ReadonlyMap<string, FaultCode> = new Map(
  Object.entries({
    notFound: ['QueueDoesNotExist', 'NonExistentQueue', 'QueueDeletedRecently'],
    throttled: [
      'BandwidthLimitExceeded',
      'KMS.ThrottlingException',
      'KmsThrottled',
      'OverLimit',
      'ProvisionedThroughputExceededException',
      'RequestLimitExceeded',
      'RequestThrottled',
      'RequestThrottledException',
      'SlowDown',
      'ThrottledException',
      'Throttling',
      'ThrottlingException',
      'TooManyRequestsException',
    ],
    accessDenied: [
      'AccessDenied',
      'AccessDeniedException',
      'CredentialsProviderError',
      'ExpiredToken',
      'ExpiredTokenException',
      'IncompleteSignature',
      'InvalidClientTokenId',
      'InvalidSecurity',
      'InvalidSignatureException',
      'KMS.AccessDeniedException',
      'KmsAccessDenied',
      'MissingAuthenticationToken',
      'MissingAuthenticationTokenException',
      'NotAuthorized',
      'OptInRequired',
      'RequestExpired',
      'SignatureDoesNotMatch',
      'TokenProviderError',
      'UnrecognizedClientException',
    ],
    unavailable: [
      'AbortError',
      'EAI_AGAIN',
      'ECONNABORTED',
      'ECONNREFUSED',
      'ECONNRESET',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ENOTFOUND',
      'EPIPE',
      'ETIMEDOUT',
      'InternalError',
      'InternalFailure',
      'InternalServerError',
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
      'RequestTimeout',
      'ServiceUnavailable',
      'TimeoutError',
    ],
    invalid: [
      'BatchEntryIdsNotDistinct',
      'BatchRequestTooLong',
      'EmptyBatchRequest',
      'InvalidAction',
      'InvalidAddress',
      'InvalidAttributeName',
      'InvalidAttributeValue',
      'InvalidBatchEntryId',
      'InvalidIdFormat',
      'InvalidParameterValue',
      'InvalidParameterValueException',
      'MissingParameter',
      'TooManyEntriesInBatchRequest',
      'UnsupportedOperation',
      'ValidationError',
      'ValidationException',
    ],
  } satisfies Partial<Record<FaultCode, string[]>>).flatMap(([code, names]) => names.map((name) => [name, code as FaultCode])),
);

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
  return name
    .replace(/^.*#/, '')
    .replace(/:.*$/, '')
    .replace(/^AWS\.SimpleQueueService\./, '');
}

/** The `SourceError` for anything that a call through the SDK has thrown; one that is a `SourceError` already stays as it is. */
export function toSourceError(thrown: unknown, operation: string): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const names = errorNames(error);
  const known = names.find((name) => FAULT_CODES.has(name));
  const code = known === undefined ? codeOfStatus(error) : FAULT_CODES.get(known)!;
  const serviceCode = known ?? bareErrorName(error.name);
  return new SourceError(code, serviceCode, `${operation} failed: ${error.message === '' ? serviceCode : error.message}`, {
    cause: thrown,
  });
}

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

/** What the socket or the resolver said first, because it is the more exact; then the service's name for it, new and old. */
function errorNames(error: Error): string[] {
  const said: unknown[] = [Reflect.get(error, 'code'), error.name, Reflect.get(error, 'Code')];
  const names = said.filter((name) => typeof name === 'string').map(bareErrorName);
  // Node puts the attempts of one connect (IPv6, then IPv4) into an AggregateError whose own name tells nothing.
  if (error instanceof AggregateError) names.push(...error.errors.flatMap((inner) => (inner instanceof Error ? errorNames(inner) : [])));
  return names;
}

/** For names that nobody listed, such as the page a load balancer answers with: the HTTP status still tells the class. */
function codeOfStatus(error: Error): FaultCode {
  const status = statusOf(Reflect.get(error, '$metadata'), 'httpStatusCode') ?? statusOf(Reflect.get(error, '$response'), 'statusCode');
  if (status === undefined) return 'unknown';
  if (status === 429) return 'throttled';
  if (status === 401 || status === 403) return 'accessDenied';
  return status >= 500 ? 'unavailable' : 'unknown';
}

function statusOf(holder: unknown, key: string): number | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined;
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'number' ? value : undefined;
}
