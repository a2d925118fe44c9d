import type { FetchCredentials } from '@wherry/core/cached-credentials';
import type { AwsSettings } from '@wherry/core/mapping';

/**
 * Credentials as the AWS SDK finds them: environment, web identity, profile, container or instance; then, if the settings
 * name a role, those of that role, asked of `stsEndpoint`; where there is none, of the region's own STS unless
 * `AWS_ENDPOINT_URL_STS` or the profile says otherwise.
 */
export function fetchAwsCredentials(aws: AwsSettings): FetchCredentials {
  return async () => {
    // Loaded here and not above: pollers without a Lambda target never pay for it.
    const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
    // A new chain each time, because a chain remembers keys without an expiry for ever.
    const base = fromNodeProviderChain({
      ...(aws.profile === undefined ? {} : { profile: aws.profile }),
      clientConfig: { region: aws.region },
    });
    if (aws.assumeRole === undefined) return await base();
    const { externalId, roleArn, sessionName = 'wherry' } = aws.assumeRole;
    return await fromTemporaryCredentials({
      masterCredentials: base,
      params: { RoleArn: roleArn, RoleSessionName: sessionName, ...(externalId === undefined ? {} : { ExternalId: externalId }) },
      clientConfig: { region: aws.region, ...(aws.stsEndpoint === undefined ? {} : { endpoint: aws.stsEndpoint }) },
    })();
  };
}
