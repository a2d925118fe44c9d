import type { Clock } from '@wherry/core/clock';
import { StoreError, type PermitStore } from '@wherry/core/coordination';

/** Permits in memory, shared by all who are given the same instance. `fail` makes every call fail, as a store that is away. */
export class MemoryPermitStore implements PermitStore {
  fail = false;
  readonly #clock: Clock;
  readonly #expiries = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire(partition: string, scopes: readonly { scope: string; limit: number }[], token: string, ttlMs: number): Promise<boolean> {
    return this.#run(() => {
      const rooms = scopes.map(({ scope, limit }) => ({ live: this.#live(partition, scope), limit }));
      if (!rooms.every(({ live, limit }) => live.has(token) || live.size < limit)) return false;
      for (const { live } of rooms) live.set(token, this.#clock.monotonicMs() + ttlMs);
      return true;
    });
  }

  release(partition: string, scopes: readonly string[], token: string): Promise<void> {
    return this.#run(() => {
      for (const scope of scopes) this.#live(partition, scope).delete(token);
    });
  }

  inUse(partition: string, scope: string): Promise<number> {
    return this.#run(() => this.#live(partition, scope).size);
  }

  /** Live permits of all scopes together. */
  total(): number {
    return [...this.#expiries.values()].reduce((sum, tokens) => sum + this.#prune(tokens).size, 0);
  }

  #live(partition: string, scope: string): Map<string, number> {
    const key = `${partition} ${scope}`;
    const tokens = this.#expiries.get(key) ?? new Map<string, number>();
    this.#expiries.set(key, tokens);
    return this.#prune(tokens);
  }

  #prune(tokens: Map<string, number>): Map<string, number> {
    for (const [token, expiresAtMs] of tokens) if (expiresAtMs <= this.#clock.monotonicMs()) tokens.delete(token);
    return tokens;
  }

  #run<T>(action: () => T): Promise<T> {
    return this.fail ? Promise.reject(new StoreError('the store is away')) : Promise.resolve().then(action);
  }
}
