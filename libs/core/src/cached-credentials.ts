import type { Surroundings } from './clock.ts';

/** Keys to sign with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent for keys that do not expire. */
  readonly expiration?: Date;
}

/** Asks for credentials anew. */
export type FetchCredentials = () => Promise<AwsCredentials>;

/** New keys are fetched after this part of their life, plus up to a tenth by chance, so that a fleet does not ask all at once. */
const REFRESH_AT_PART_OF_LIFE = 0.7;

/** Keys are not used for a signature this shortly before they expire. */
const EXPIRY_MARGIN_MS = 10_000;

/** After a failure nobody asks again for this long, doubling up to the longest. */
const SHORTEST_FAILURE_MS = 5_000;
const LONGEST_FAILURE_MS = 60_000;

/**
 * Holds the credentials of one role. However many calls ask at once, one fetch runs; keys that are good for a while are
 * renewed in the background, and a failure to renew shows only when the old keys have run out.
 */
export class CachedCredentials {
  readonly #fetch: FetchCredentials;
  readonly #surroundings: Pick<Surroundings, 'clock' | 'random'>;
  #held: { readonly credentials: AwsCredentials; readonly refreshAtMs: number; readonly expiresAtMs: number } | undefined;
  #fetching: Promise<AwsCredentials> | undefined;
  #failure: { readonly error: unknown; readonly waitMs: number; readonly untilMs: number } | undefined;

  constructor(fetch: FetchCredentials, surroundings: Pick<Surroundings, 'clock' | 'random'>) {
    this.#fetch = fetch;
    this.#surroundings = surroundings;
  }

  /** Rejects with the provider's own error. */
  async get(): Promise<AwsCredentials> {
    const nowMs = this.#surroundings.clock.nowMs();
    const held = this.#held;
    if (held === undefined || held.expiresAtMs <= nowMs) return await this.#renew();
    if (held.refreshAtMs <= nowMs) {
      // The old keys still do; the failure is kept and shows when they no longer do.
      this.#renew().catch(() => {});
    }
    return held.credentials;
  }

  /** The service did not accept these: the next `get` fetches new ones. */
  reject(credentials: AwsCredentials): void {
    if (this.#held?.credentials === credentials) this.#held = undefined;
  }

  #renew(): Promise<AwsCredentials> {
    const failure = this.#failure;
    if (failure !== undefined && this.#surroundings.clock.monotonicMs() < failure.untilMs) return Promise.reject(failure.error);
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<AwsCredentials> {
    const { clock, random } = this.#surroundings;
    try {
      const credentials = await this.#fetch();
      const nowMs = clock.nowMs();
      const expiresAtMs = credentials.expiration === undefined ? Infinity : credentials.expiration.getTime() - EXPIRY_MARGIN_MS;
      const refreshAtMs = nowMs + (expiresAtMs - nowMs) * (REFRESH_AT_PART_OF_LIFE + 0.1 * random());
      this.#held = { credentials, refreshAtMs, expiresAtMs };
      this.#failure = undefined;
      return credentials;
    } catch (error) {
      const waitMs = this.#failure === undefined ? SHORTEST_FAILURE_MS : Math.min(2 * this.#failure.waitMs, LONGEST_FAILURE_MS);
      this.#failure = { error, waitMs, untilMs: clock.monotonicMs() + waitMs };
      throw error;
    }
  }
}
