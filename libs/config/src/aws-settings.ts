import type { AwsSettings } from '@wherry/core/mapping';
import type { ConfigValues } from './schema.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Names under `aws.endpoints`. */
type Service = keyof NonNullable<ConfigValues['aws']['endpoints']>;

/** `aws:` of one mapping or target. */
type AwsOverride = NonNullable<ConfigValues['mappings'][string]['aws']>;

/**
 * Settings of the calls to one service: those of the mapping or target itself before the service's endpoint before the global block.
 *
 * @param region where the calls go, unless `own` names another region
 */
export function awsSettings({ aws }: Pick<ConfigValues, 'aws'>, service: Service, region: string, own: AwsOverride = {}): AwsSettings {
  const assumeRole = own.assumeRole ?? aws.assumeRole;
  return withoutUndefined<AwsSettings>({
    region: own.region ?? region,
    endpoint: own.endpoint ?? aws.endpoints?.[service] ?? aws.endpoint,
    // The endpoint of one mapping or target is its service's, where STS need not be.
    stsEndpoint: assumeRole && (aws.endpoints?.sts ?? aws.endpoint),
    profile: own.profile ?? aws.profile,
    assumeRole: assumeRole && withoutUndefined<NonNullable<AwsSettings['assumeRole']>>(assumeRole),
    maxAttempts: own.maxAttempts ?? aws.maxAttempts ?? 5,
  });
}
