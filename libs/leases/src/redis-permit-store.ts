import type { PermitStore } from '@wherry/core/coordination';
import type { Keys } from './keys.ts';
import { storeError } from './scripts.ts';
import type { Scripts } from './scripts.ts';
import type { RedisClient } from './redis-client.ts';

/** Counting semaphores as sorted sets of tokens by expiry; what has expired by Redis's clock no longer counts. */
export class RedisPermitStore implements PermitStore {
  readonly #client: RedisClient;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(client: RedisClient, scripts: Scripts, keys: Keys) {
    this.#client = client;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async acquire(
    partition: string,
    scopes: readonly { readonly scope: string; readonly limit: number }[],
    token: string,
    ttlMs: number,
  ): Promise<boolean> {
    const keys = scopes.map(({ scope }) => this.#keys.permit(partition, scope));
    const limits = scopes.map(({ limit }) => limit);
    return (await this.#scripts.run('permit-acquire', keys, [token, ttlMs, ...limits])) === 1;
  }

  async release(partition: string, scopes: readonly string[], token: string): Promise<void> {
    try {
      await Promise.all(scopes.map((scope) => this.#client.zrem(this.#keys.permit(partition, scope), token)));
    } catch (error) {
      throw storeError('permit-release', error);
    }
  }

  async inUse(partition: string, scope: string): Promise<number> {
    return Number(await this.#scripts.run('permit-count', [this.#keys.permit(partition, scope)], []));
  }
}
