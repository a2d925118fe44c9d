import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { type AwsCredentials, CachedCredentials, type FetchCredentials } from '@wherry/core/cached-credentials';
import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings } from '@wherry/core/mapping';

/** Asked before every signature; the answer may be an old one that is still good. */
export type CredentialsProvider = () => Promise<AwsCredentials>;

/**
 * One credentials provider per profile and role, shared by all clients: one `AssumeRole` an hour, however many mappings
 * work under the role. Roles are assumed through `stsEndpoint`; where there is none, through the region's STS, or where
 * `AWS_ENDPOINT_URL_STS` points.
 */
export class CredentialsByRole {
  readonly #surroundings: Pick<Surroundings, 'clock' | 'random'>;
  readonly #providers = new Map<string, CredentialsProvider>();

  constructor(surroundings: Pick<Surroundings, 'clock' | 'random'>) {
    this.#surroundings = surroundings;
  }

  provider(aws: AwsSettings): CredentialsProvider {
    const { profile, assumeRole, region, stsEndpoint } = aws;
    const role = assumeRole === undefined ? [] : [region, stsEndpoint, assumeRole.roleArn, assumeRole.externalId, assumeRole.sessionName];
    const key = JSON.stringify([profile, ...role]);
    const known = this.#providers.get(key) ?? this.#open(aws);
    this.#providers.set(key, known);
    return known;
  }

  #open(aws: AwsSettings): CredentialsProvider {
    const cached = new CachedCredentials(openChain(aws), this.#surroundings);
    return () => cached.get();
  }
}

function openChain(aws: AwsSettings): FetchCredentials {
  const chain = aws.profile === undefined ? fromNodeProviderChain() : fromNodeProviderChain({ profile: aws.profile });
  if (aws.assumeRole === undefined) return chain;
  const { roleArn, externalId, sessionName } = aws.assumeRole;
  return fromTemporaryCredentials({
    masterCredentials: chain,
    clientConfig: { region: aws.region, ...(aws.stsEndpoint === undefined ? {} : { endpoint: aws.stsEndpoint }) },
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName ?? 'wherry',
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    },
  });
}
