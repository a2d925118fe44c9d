import type { Clock } from '@wherry/core/clock';
import type { GateState, GateStore, PermitStore, ScaleStore } from '@wherry/core/coordination';
import { StoreError } from '@wherry/core/coordination';

/** Permits in memory on a clock. `isAway` makes every call fail. */
export class FakePermits implements PermitStore {
  readonly #clock: Clock;
  /** When each token lapses, by partition and scope. */
  readonly #scopes = new Map<string, Map<string, number>>();
  isAway = false;
  /** Most permits ever out at a time, per scope. */
  readonly peaks = new Map<string, number>();

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
    if (scopes.some(({ scope, limit }) => this.#live(partition, scope).size >= limit)) return false;
    for (const { scope } of scopes) {
      const tokens = this.#live(partition, scope).set(token, this.#clock.monotonicMs() + ttlMs);
      this.peaks.set(scope, Math.max(this.peaks.get(scope) ?? 0, tokens.size));
    }
    return true;
  }

  async release(partition: string, scopes: readonly string[], token: string): Promise<void> {
    this.#answer();
    for (const scope of scopes) this.#live(partition, scope).delete(token);
  }

  async inUse(partition: string, scope: string): Promise<number> {
    return this.#live(partition, scope).size;
  }

  #live(partition: string, scope: string): Map<string, number> {
    const key = `${partition} ${scope}`;
    const tokens = this.#scopes.get(key) ?? new Map<string, number>();
    this.#scopes.set(key, tokens);
    for (const [token, lapsesAtMs] of tokens) if (lapsesAtMs <= this.#clock.monotonicMs()) tokens.delete(token);
    return tokens;
  }

  #answer(): void {
    if (this.isAway) throw new StoreError('the store is away');
  }
}

interface Gate {
  isOpen: boolean;
  untilMs: number;
  reason: string;
  failures: number;
  prober: string | undefined;
}

/** Gates in memory on a clock. */
export class FakeGates implements GateStore {
  readonly #clock: Clock;
  readonly #gates = new Map<string, Gate>();
  isAway = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async gates(targets: readonly string[]): Promise<Map<string, GateState>> {
    this.#answer();
    const states = new Map<string, GateState>();
    for (const target of targets) {
      const gate = this.#gates.get(target);
      const waitMs = Math.max(0, (gate?.untilMs ?? 0) - this.#clock.monotonicMs());
      if (gate === undefined || (!gate.isOpen && waitMs === 0)) continue;
      states.set(target, { state: gate.isOpen ? 'open' : 'closed', waitMs, reason: gate.reason, failures: gate.failures });
    }
    return states;
  }

  async open(target: string, waitMs: number, failures: number, reason: string): Promise<void> {
    this.#answer();
    this.#gates.set(target, { isOpen: true, untilMs: this.#clock.monotonicMs() + waitMs, reason, failures, prober: undefined });
  }

  async throttle(target: string, waitMs: number, reason: string): Promise<void> {
    this.#answer();
    const gate = this.#gates.get(target);
    if (gate?.isOpen === true) return;
    const untilMs = Math.max(gate?.untilMs ?? 0, this.#clock.monotonicMs() + waitMs);
    this.#gates.set(target, { isOpen: false, untilMs, reason, failures: 0, prober: undefined });
  }

  async tryProbe(target: string, owner: string): Promise<boolean> {
    this.#answer();
    const gate = this.#gates.get(target);
    if (gate?.isOpen !== true || gate.untilMs > this.#clock.monotonicMs() || gate.prober !== undefined) return false;
    gate.prober = owner;
    return true;
  }

  async close(target: string): Promise<void> {
    this.#answer();
    this.#gates.delete(target);
  }

  #answer(): void {
    if (this.isAway) throw new StoreError('the store is away');
  }
}

/** The wished-for number of slots in memory, without the limit per minute. */
export class FakeScale implements ScaleStore {
  readonly #wishes = new Map<string, number>();
  readonly votes: { readonly id: string; readonly delta: number }[] = [];

  async desired(mappings: readonly { readonly id: string; readonly initial: number }[]): Promise<Map<string, number>> {
    return new Map(mappings.map(({ id, initial }) => [id, this.#wishes.get(id) ?? initial]));
  }

  async adjust(
    id: string,
    delta: number,
    bounds: { readonly initial: number; readonly floor: number; readonly ceiling: number; readonly growthPerMinute: number },
  ): Promise<number> {
    this.votes.push({ id, delta });
    const wish = Math.min(bounds.ceiling, Math.max(bounds.floor, (this.#wishes.get(id) ?? bounds.initial) + delta));
    this.#wishes.set(id, wish);
    return wish;
  }
}
