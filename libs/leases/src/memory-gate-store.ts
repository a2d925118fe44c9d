import type { Clock } from '@wherry/core/clock';
import type { GateState, GateStore } from '@wherry/core/coordination';
import { GATE_FORGOTTEN_MS } from './gate-memory.ts';

interface Gate {
  readonly isOpen: boolean;
  readonly untilMs: number;
  readonly failures: number;
  readonly reason: string;
  readonly probedUntilMs: number;
}

/** The behaviour of `RedisGateStore` in one process, on the given clock. */
export class MemoryGateStore implements GateStore {
  readonly #clock: Clock;
  readonly #gates = new Map<string, Gate>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  gates(targets: readonly string[]): Promise<Map<string, GateState>> {
    const now = this.#clock.nowMs();
    const states = new Map<string, GateState>();
    for (const target of targets) {
      const gate = this.#gate(target, now);
      if (gate === undefined) continue;
      const waitMs = Math.max(0, gate.untilMs - now, gate.isOpen ? gate.probedUntilMs - now : 0);
      states.set(target, { state: gate.isOpen ? 'open' : 'closed', waitMs, failures: gate.failures, reason: gate.reason });
    }
    return Promise.resolve(states);
  }

  open(target: string, waitMs: number, failures: number, reason: string): Promise<void> {
    const now = this.#clock.nowMs();
    const before = this.#gate(target, now);
    const kept = before?.isOpen === true ? before : undefined;
    this.#gates.set(target, {
      isOpen: true,
      untilMs: Math.max(now + waitMs, kept?.untilMs ?? 0),
      failures: Math.max(failures, kept?.failures ?? 0),
      reason,
      probedUntilMs: 0,
    });
    return Promise.resolve();
  }

  throttle(target: string, waitMs: number, reason: string): Promise<void> {
    const now = this.#clock.nowMs();
    const gate = this.#gate(target, now);
    if (gate === undefined || (!gate.isOpen && gate.untilMs < now + waitMs)) {
      this.#gates.set(target, { isOpen: false, untilMs: now + waitMs, failures: 0, reason, probedUntilMs: 0 });
    }
    return Promise.resolve();
  }

  tryProbe(target: string, _owner: string, ttlMs: number): Promise<boolean> {
    const now = this.#clock.nowMs();
    const gate = this.#gate(target, now);
    if (gate === undefined || !gate.isOpen || gate.untilMs > now || gate.probedUntilMs > now) return Promise.resolve(false);
    this.#gates.set(target, { ...gate, probedUntilMs: now + ttlMs });
    return Promise.resolve(true);
  }

  close(target: string): Promise<void> {
    this.#gates.delete(target);
    return Promise.resolve();
  }

  /** A gate that still says something: an open one until it is forgotten, a throttled one until its pause is over. */
  #gate(target: string, now: number): Gate | undefined {
    const gate = this.#gates.get(target);
    if (gate === undefined || gate.untilMs + (gate.isOpen ? GATE_FORGOTTEN_MS : 0) > now) return gate;
    this.#gates.delete(target);
    return undefined;
  }
}
