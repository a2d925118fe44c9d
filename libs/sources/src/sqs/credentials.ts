import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Clock } from '@wherry/core/clock';
import type { AwsSettings } from '@wherry/core/mapping';

/** What signs a request. Temporary ones say until when. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Asked before every signature; the answer may be an old one that is still good. */
export type CredentialsProvider = () => Promise<Credentials>;

/** Part of their life after which temporary credentials are renewed in the background. */
const RENEW_AFTER_LIFE = 0.75;

/** How long a failed look-up is repeated to everybody who asks: a missing permission must not become a storm of calls. */
const FAILURE_KEPT_MS = 5_000;

/**
 * One credentials provider per profile and role, shared by all clients: one `AssumeRole` an hour, however many mappings
 * work under the role. Roles are assumed through the region's STS, or where `AWS_ENDPOINT_URL_STS` points.
 */
export class CredentialsByRole {
  readonly #clock: Clock;
  readonly #providers = new Map<string, CredentialsProvider>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  provider(aws: AwsSettings): CredentialsProvider {
    const { profile, assumeRole, region } = aws;
    const role = assumeRole === undefined ? [] : [region, assumeRole.roleArn, assumeRole.externalId, assumeRole.sessionName];
    const key = JSON.stringify([profile, ...role]);
    const known = this.#providers.get(key) ?? cacheCredentials(openProvider(aws), this.#clock);
    this.#providers.set(key, known);
    return known;
  }
}

/**
 * Remembers what `load` returned until it expires, renews it in the background when three quarters of its life are over,
 * keeps the old ones while renewing fails, and asks once for any number of simultaneous callers.
 */
export function cacheCredentials(load: CredentialsProvider, clock: Clock): CredentialsProvider {
  let current: { readonly credentials: Credentials; readonly renewAtMs: number; readonly expiresAtMs: number } | undefined;
  let failed: { readonly error: unknown; readonly untilMs: number } | undefined;
  let loading: Promise<Credentials> | undefined;

  const renew = async (): Promise<Credentials> => {
    try {
      const credentials = await load();
      const nowMs = clock.nowMs();
      const expiresAtMs = credentials.expiration?.getTime() ?? Infinity;
      current = { credentials, expiresAtMs, renewAtMs: nowMs + (expiresAtMs - nowMs) * RENEW_AFTER_LIFE };
      failed = undefined;
      return credentials;
    } catch (error) {
      failed = { error, untilMs: clock.nowMs() + FAILURE_KEPT_MS };
      throw error;
    } finally {
      loading = undefined;
    }
  };

  return async () => {
    const nowMs = clock.nowMs();
    const isUsable = current !== undefined && nowMs < current.expiresAtMs;
    if (current !== undefined && nowMs < current.renewAtMs) return current.credentials;
    if (failed === undefined || nowMs >= failed.untilMs) loading ??= renew();
    if (current !== undefined && isUsable) {
      // Nobody waits for this renewal; its failure is kept in `failed` and shows once the old ones have expired.
      loading?.catch(() => {});
      return current.credentials;
    }
    if (loading !== undefined) return loading;
    throw failed?.error;
  };
}

function openProvider(aws: AwsSettings): CredentialsProvider {
  const chain = aws.profile === undefined ? fromNodeProviderChain() : fromNodeProviderChain({ profile: aws.profile });
  if (aws.assumeRole === undefined) return chain;
  const { roleArn, externalId, sessionName } = aws.assumeRole;
  return fromTemporaryCredentials({
    masterCredentials: chain,
    clientConfig: { region: aws.region },
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName ?? 'wherry',
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    },
  });
}
