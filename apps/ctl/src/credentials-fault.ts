import type { AwsSettings } from '@wherry/core/mapping';

/** Names with which the SDK and AWS say that there are no usable credentials, as opposed to credentials that lack a permission. */
const MISSING = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
]);
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired']);
const UNKNOWN = new Set([
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/**
 * What is wrong with the credentials themselves, and what to do; undefined when they are not the trouble. The places are those of the
 * SDK's default provider chain, in its order.
 *
 * @param serviceCode the error's own name
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
export function credentialsFault(serviceCode: string, aws: AwsSettings): { message: string; help: string } | undefined {
  const forRole = aws.assumeRole === undefined ? '' : ` to assume ${aws.assumeRole.roleArn} with`;
  if (MISSING.has(serviceCode)) {
    return aws.profile === undefined
      ? {
          message: `no AWS credentials were found${forRole}`,
          help:
            'looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or the default profile in ~/.aws, a web identity ' +
            '(AWS_WEB_IDENTITY_TOKEN_FILE), and the role of the container or instance; set one of them (an emulator takes any keys)',
        }
      : {
          message: `profile "${aws.profile}" of aws.profile gives no AWS credentials${forRole}`,
          help: `looked in ~/.aws/config and ~/.aws/credentials; add the profile (aws configure --profile ${aws.profile}), log in again, or correct aws.profile`,
        };
  }
  if (EXPIRED.has(serviceCode)) {
    return {
      message: 'the AWS credentials have expired',
      help: "get new ones (aws sso login, or a new session), and check this machine's clock",
    };
  }
  if (!UNKNOWN.has(serviceCode)) return undefined;
  return {
    message: `AWS does not accept the credentials in ${aws.region}`,
    help: 'check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN or the profile: keys of another account, region or partition, or a missing session token',
  };
}
