import type { Clock } from '@wherry/core/clock';
import type { PermitStore } from '@wherry/core/coordination';

/** The behaviour of `RedisPermitStore` in one process, on the given clock. */
export class MemoryPermitStore implements PermitStore {
  readonly #clock: Clock;
  /** Scope (with its partition) to token to expiry. */
  readonly #scopes = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire(
    partition: string,
    scopes: readonly { readonly scope: string; readonly limit: number }[],
    token: string,
    ttlMs: number,
  ): Promise<boolean> {
    const now = this.#clock.nowMs();
    const held = scopes.map(({ scope }) => this.#live(partition, scope, now));
    const hasRoom = held.every((tokens, i) => tokens.has(token) || tokens.size < (scopes[i]?.limit ?? 0));
    if (!hasRoom) return Promise.resolve(false);
    for (const tokens of held) tokens.set(token, Math.max(now + ttlMs, tokens.get(token) ?? 0));
    return Promise.resolve(true);
  }

  release(partition: string, scopes: readonly string[], token: string): Promise<void> {
    for (const scope of scopes) this.#live(partition, scope, this.#clock.nowMs()).delete(token);
    return Promise.resolve();
  }

  inUse(partition: string, scope: string): Promise<number> {
    return Promise.resolve(this.#live(partition, scope, this.#clock.nowMs()).size);
  }

  #live(partition: string, scope: string, now: number): Map<string, number> {
    const key = JSON.stringify([partition, scope]);
    let tokens = this.#scopes.get(key);
    if (tokens === undefined) {
      tokens = new Map();
      this.#scopes.set(key, tokens);
    }
    for (const [token, expiresAtMs] of tokens) {
      if (expiresAtMs <= now) tokens.delete(token);
    }
    return tokens;
  }
}
