import type { Clock } from '@wherry/core/clock';
import type { GateState, GateStore, PermitStore, ScaleStore } from '@wherry/core/coordination';
import { StoreError } from '@wherry/core/coordination';

/** Permits in memory, without a ttl: what is not released stays taken. `isAway` makes every call fail. */
export class FakePermits implements PermitStore {
  readonly #tokens = new Map<string, Set<string>>();
  isAway = false;
  /** Most permits ever out at a time, per scope. */
  readonly peaks = new Map<string, number>();

  async acquire(partition: string, scopes: readonly { readonly scope: string; readonly limit: number }[], token: string): Promise<boolean> {
    this.#answer();
    if (scopes.some(({ scope, limit }) => this.#of(partition, scope).size >= limit)) return false;
    for (const { scope } of scopes) {
      const tokens = this.#of(partition, scope).add(token);
      this.peaks.set(scope, Math.max(this.peaks.get(scope) ?? 0, tokens.size));
    }
    return true;
  }

  async release(partition: string, scopes: readonly string[], token: string): Promise<void> {
    this.#answer();
    for (const scope of scopes) this.#of(partition, scope).delete(token);
  }

  async inUse(partition: string, scope: string): Promise<number> {
    return this.#of(partition, scope).size;
  }

  #of(partition: string, scope: string): Set<string> {
    const key = `${partition} ${scope}`;
    const tokens = this.#tokens.get(key) ?? new Set();
    this.#tokens.set(key, tokens);
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
