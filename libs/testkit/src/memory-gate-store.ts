import type { Clock } from '@wherry/core/clock';
import { GATE_FORGOTTEN_MS, type GateState, type GateStore, StoreError } from '@wherry/core/coordination';

interface Gate {
  readonly isOpen: boolean;
  readonly untilMs: number;
  readonly failures: number;
  readonly reason: string;
  readonly probedUntilMs: number;
}

/** The behaviour of `RedisGateStore` in one process, on the given clock. `isAway` makes every call fail, as a store that is away. */
export class MemoryGateStore implements GateStore {
  isAway = false;
  readonly #clock: Clock;
  readonly #gates = new Map<string, Gate>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async gates(targets: readonly string[]): Promise<Map<string, GateState>> {
    const now = this.#answer();
    const states = new Map<string, GateState>();
    for (const target of targets) {
      const gate = this.#gate(target, now);
      if (gate === undefined) continue;
      const waitMs = Math.max(0, gate.untilMs - now, gate.isOpen ? gate.probedUntilMs - now : 0);
      states.set(target, { state: gate.isOpen ? 'open' : 'closed', waitMs, failures: gate.failures, reason: gate.reason });
    }
    return states;
  }

  async open(target: string, waitMs: number, failures: number, reason: string): Promise<void> {
    const now = this.#answer();
    const before = this.#gate(target, now);
    const kept = before?.isOpen === true ? before : undefined;
    this.#gates.set(target, {
      isOpen: true,
      untilMs: Math.max(now + waitMs, kept?.untilMs ?? 0),
      failures: Math.max(failures, kept?.failures ?? 0),
      reason,
      probedUntilMs: 0,
    });
  }

  async throttle(target: string, waitMs: number, reason: string): Promise<void> {
    const now = this.#answer();
    const gate = this.#gate(target, now);
    if (gate === undefined || (!gate.isOpen && gate.untilMs < now + waitMs)) {
      this.#gates.set(target, { isOpen: false, untilMs: now + waitMs, failures: 0, reason, probedUntilMs: 0 });
    }
  }

  async tryProbe(target: string, _owner: string, ttlMs: number): Promise<boolean> {
    const now = this.#answer();
    const gate = this.#gate(target, now);
    if (gate === undefined || !gate.isOpen || gate.untilMs > now || gate.probedUntilMs > now) return false;
    this.#gates.set(target, { ...gate, probedUntilMs: now + ttlMs });
    return true;
  }

  async close(target: string): Promise<void> {
    this.#answer();
    this.#gates.delete(target);
  }

  /** The store's time, if it answers at all. */
  #answer(): number {
    if (this.isAway) throw new StoreError('the store is away');
    return this.#clock.nowMs();
  }

  /** A gate that still says something: an open one until it is forgotten, a throttled one until its pause is over. */
  #gate(target: string, now: number): Gate | undefined {
    const gate = this.#gates.get(target);
    if (gate === undefined || gate.untilMs + (gate.isOpen ? GATE_FORGOTTEN_MS : 0) > now) return gate;
    this.#gates.delete(target);
    return undefined;
  }
}
