import { SourceError, type FaultCode } from './source-error.ts';

/** Error names by the class that loops react to. */
export type FaultNames = Partial<Record<FaultCode, readonly string[]>>;

/** The `SourceError` for anything that a call through the SDK has thrown; one that is a `SourceError` already stays as it is. */
export type ToSourceError = (thrown: unknown, operation: string) => SourceError;

/**
 * Error names that every AWS service may answer with, those of the SDK and of Node's sockets.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const COMMON_NAMES: FaultNames = {
  throttled: [
    'BandwidthLimitExceeded',
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
    'InvalidSignatureException',
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
    'RequestTimeout',
    'ServiceUnavailable',
    'TimeoutError',
  ],
  invalid: [
    'InvalidAction',
    'InvalidParameterValue',
    'InvalidParameterValueException',
    'MissingParameter',
    'ValidationError',
    'ValidationException',
  ],
};

/** The bare name of an error: without a `namespace#` before it or a `:url` behind it. */
export function bareErrorName(name: string): string {
  return name.replace(/^.*#/, '').replace(/:.*$/, '');
}

/**
 * Makes the translator of one service.
 *
 * @param ownNames what this service answers with beyond the names that all know
 * @param bareName takes away what an error name is wrapped in
 */
export function createToSourceError(ownNames: FaultNames, bareName: (name: string) => string = bareErrorName): ToSourceError {
  const codes = new Map([...codesByName(COMMON_NAMES), ...codesByName(ownNames)]);
  return (thrown, operation) => {
    if (thrown instanceof SourceError) return thrown;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const known = errorNames(error, bareName).find((name) => codes.has(name));
    const code = known === undefined ? codeOfStatus(error) : codes.get(known)!;
    const serviceCode = known ?? bareName(error.name);
    return new SourceError(code, serviceCode, `${operation} failed: ${error.message === '' ? serviceCode : error.message}`, {
      cause: thrown,
    });
  };
}

function codesByName(names: FaultNames): [string, FaultCode][] {
  return Object.entries(names).flatMap(([code, all]) => all.map((name): [string, FaultCode] => [name, code as FaultCode]));
}

/** What the socket or the resolver said first, because it is the more exact; then the service's name for it, new and old. */
function errorNames(error: Error, bareName: (name: string) => string): string[] {
  const said: unknown[] = [Reflect.get(error, 'code'), error.name, Reflect.get(error, 'Code')];
  const names = said.filter((name) => typeof name === 'string').map(bareName);
  // Node puts the attempts of one connect (IPv6, then IPv4) into an AggregateError whose own name tells nothing.
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...names, ...inner.flatMap((one) => (one instanceof Error ? errorNames(one, bareName) : []))];
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
