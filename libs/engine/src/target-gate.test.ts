import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { InvokeResult } from '@wherry/core/invoke';
import { MemoryGateStore } from '@wherry/testkit/memory-gate-store';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import { type Passage, TargetGate } from './target-gate.ts';

const refused: InvokeResult = { kind: 'unavailable', reason: 'connection refused', permanent: false, durationMs: 1 };
const success: InvokeResult = { kind: 'success', body: new Uint8Array(), durationMs: 1 };

function setup(pollers = 2) {
  const sim = new SimClock();
  const clock = sim.clock();
  const store = new MemoryGateStore(clock);
  const events: string[] = [];
  const gates = Array.from(
    { length: pollers },
    (_, index) =>
      new TargetGate({
        surroundings: { clock, random: seededRandom(index + 1), newId: () => 'id' },
        store,
        target: 'orders',
        owner: `poller-${index}`,
        observe: (event: EngineEvent) => void (event.type === 'gate' && events.push(`${index} ${event.state}`)),
      }),
  );
  const refreshAll = async (): Promise<void> => {
    const askedAtMs = clock.monotonicMs();
    const states = await store.gates(['orders']);
    for (const gate of gates) gate.refresh(states.get('orders'), askedAtMs);
  };
  const stop = new AbortController();
  const wait = (gate: TargetGate): Promise<Passage> =>
    gate.waitToPass({ signal: stop.signal, untilMs: Number.POSITIVE_INFINITY, probeTtlMs: 60_000 });
  /** Lets time pass as it does in a fleet: each poller asks the store once a second. */
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await sim.advance(1_000);
      await refreshAll();
    }
  };
  return { sim, store, gates: gates as [TargetGate, TargetGate], events, wait, pass, stop };
}

function open(gate: TargetGate): void {
  for (let count = 0; count < 5; count += 1) gate.report(refused, 'go');
}

describe('the gate of a target', () => {
  it('lets pass at once while closed', async () => {
    const { gates, wait } = setup();
    expect(await wait(gates[0])).toBe('go');
  });

  it('opens after 5 failures in a row, for the whole fleet', async () => {
    const { gates, pass, events, sim } = setup();
    open(gates[0]);
    await sim.advance(0);
    await pass(1);
    expect(gates.map((gate) => gate.status().state)).toEqual(['open', 'open']);
    expect(events).toEqual(['0 open', '1 open']);
  });

  it('gives the probe to one caller of the fleet, and to the others only what it finds', async () => {
    const { gates, wait, pass, sim } = setup();
    open(gates[0]);
    await sim.advance(0);
    await pass(1);
    const passages: Passage[] = [];
    for (const gate of [...gates, ...gates]) void wait(gate).then((passage) => passages.push(passage));
    await pass(40);
    expect(passages).toEqual(['probe']);
    const prober = gates.find((gate) => gate.status().state === 'open')!;
    for (const gate of gates) if (gate === prober) gate.report(success, 'probe');
    await pass(2);
    expect(passages).toEqual(['probe', 'go', 'go', 'go']);
  });

  it('waits longer after each failed probe, up to 30 s, and ignores late results of before', async () => {
    const { gates, wait, sim } = setup(1);
    const [gate] = gates;
    open(gate);
    gate.report(success, 'go');
    gate.report({ kind: 'throttled', reason: 'slow down', durationMs: 1 }, 'go');
    expect(gate.status().state).toBe('open');
    const waits: number[] = [];
    for (let probe = 0; probe < 12; probe += 1) {
      const startedAtMs = sim.nowMs();
      const probing = wait(gate).then((passage) => {
        waits.push(sim.nowMs() - startedAtMs);
        return passage;
      });
      while (waits.length === probe) await sim.advance(100);
      expect(await probing).toBe('probe');
      gate.report(refused, 'probe');
    }
    expect(Math.max(...waits.slice(0, 2))).toBeLessThanOrEqual(2_200);
    expect(Math.max(...waits)).toBeGreaterThan(10_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_200);
  });

  it('passes an unused probe on', async () => {
    const { gates, wait, sim } = setup(1);
    open(gates[0]);
    await sim.advance(2_000);
    expect(await wait(gates[0])).toBe('probe');
    gates[0].giveUpProbe();
    await sim.advance(2_000);
    expect(await wait(gates[0])).toBe('probe');
  });

  it('stays shut without a probe while the store is away, and ends a wait with its signal', async () => {
    const { gates, store, wait, sim, stop } = setup(1);
    open(gates[0]);
    store.isAway = true;
    let passage: Passage | undefined;
    void wait(gates[0]).then((given) => {
      passage = given;
    });
    await sim.advance(60_000);
    expect(passage).toBeUndefined();
    stop.abort();
    await sim.advance(0);
    expect(passage).toBe('stopped');
  });

  it('shuts for the time of Retry-After on a throttle, and halves the concurrency', async () => {
    const { gates, wait, sim, events } = setup(1);
    const [gate] = gates;
    for (let count = 0; count < 8; count += 1) gate.invocations.tryAcquire();
    gate.report({ kind: 'throttled', reason: 'slow down', retryAfterMs: 7_000, durationMs: 1 }, 'go');
    expect(gate.status()).toMatchObject({ state: 'throttled', waitMs: 7_000, concurrencyLimit: 4 });
    let passage: Passage | undefined;
    void wait(gate).then((given) => {
      passage = given;
    });
    await sim.advance(6_999);
    expect(passage).toBeUndefined();
    await sim.advance(1);
    expect(passage).toBe('go');
    expect(events).toEqual(['0 throttled', '0 closed']);
  });

  it('does not believe what the store said before its own write', async () => {
    const { gates, sim } = setup(1);
    const askedAtMs = sim.nowMs();
    await sim.advance(10);
    open(gates[0]);
    gates[0].refresh(undefined, sim.nowMs());
    await sim.advance(0);
    gates[0].refresh(undefined, askedAtMs);
    expect(gates[0].status().state).toBe('open');
  });
});
