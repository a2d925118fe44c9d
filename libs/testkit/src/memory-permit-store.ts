import type { Clock } from '@wherry/core/clock';
import { type PermitStore, StoreError } from '@wherry/core/coordination';

/** The behaviour of `RedisPermitStore` in one process, on the given clock. `isAway` makes every call fail, as a store that is away. */
export class MemoryPermitStore implements PermitStore {
  isAway = false;
  /** Most permits ever out at a time, by scope. */
  readonly peaks = new Map<string, number>();
  readonly #clock: Clock;
  /** Scope (with its partition) to token to expiry. */
  readonly #scopes = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async acquire(
    partition: string,
    scopes: readonly { readonly scope: string; readonly limit: number }[],
    token: string,
    ttlMs: number,
  ): Promise<boolean> {
    this.#answer();
    const held = scopes.map(({ scope, limit }) => ({ scope, limit, tokens: this.#live(partition, scope) }));
    if (!held.every(({ tokens, limit }) => tokens.has(token) || tokens.size < limit)) return false;
    for (const { scope, tokens } of held) {
      tokens.set(token, Math.max(this.#clock.nowMs() + ttlMs, tokens.get(token) ?? 0));
      this.peaks.set(scope, Math.max(this.peaks.get(scope) ?? 0, tokens.size));
    }
    return true;
  }

  async release(partition: string, scopes: readonly string[], token: string): Promise<void> {
    this.#answer();
    for (const scope of scopes) this.#live(partition, scope).delete(token);
  }

  async inUse(partition: string, scope: string): Promise<number> {
    this.#answer();
    return this.#live(partition, scope).size;
  }

  /** Live permits of all scopes together. */
  total(): number {
    return [...this.#scopes.values()].reduce((sum, tokens) => sum + this.#prune(tokens).size, 0);
  }

  #live(partition: string, scope: string): Map<string, number> {
    const key = JSON.stringify([partition, scope]);
    const tokens = this.#scopes.get(key) ?? new Map<string, number>();
    this.#scopes.set(key, tokens);
    return this.#prune(tokens);
  }

  #prune(tokens: Map<string, number>): Map<string, number> {
    for (const [token, expiresAtMs] of tokens) if (expiresAtMs <= this.#clock.nowMs()) tokens.delete(token);
    return tokens;
  }

  #answer(): void {
    if (this.isAway) throw new StoreError('the store is away');
  }
}
