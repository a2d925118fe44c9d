import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import { type FaultCode, SourceError } from '@wherry/core/source-error';
import { SimClock } from '@wherry/testkit/sim-clock';
import { SourceHealth } from './source-health.ts';

function setup() {
  const sim = new SimClock();
  const events: EngineEvent[] = [];
  const surroundings = { clock: sim.clock(), random: () => 0.999_999, newId: () => 'id' };
  const health = new SourceHealth({ surroundings, mapping: 'orders', observe: (event) => void events.push(event) });
  const fail = (code: FaultCode, sentAtMs = sim.nowMs()): void => health.failed(new SourceError(code, code, 'it failed'), sentAtMs);
  return { sim, health, fail, events };
}

describe('the health of a source', () => {
  it('counts the same trouble of many slots once', async () => {
    const { sim, health, fail, events } = setup();
    const sentAtMs = sim.nowMs();
    await sim.advance(100);
    for (let slot = 0; slot < 5; slot += 1) fail('unavailable', sentAtMs);
    expect(health.isPaused).toBe(true);
    await sim.advance(1_001);
    expect(health.isPaused).toBe(false);
    expect(events).toHaveLength(1);
  });

  it('asks again soon after one answer that nobody can name, and rarely if they go on', async () => {
    const { sim, health, fail } = setup();
    fail('unknown');
    await sim.advance(1_500);
    expect(health.isPaused).toBe(false);
    for (let failure = 0; failure < 12; failure += 1) {
      fail('unknown');
      await sim.advance(300_000);
    }
    fail('unknown');
    await sim.advance(60_000);
    expect(health.isPaused).toBe(true);
  });

  it('pauses longer each time, and long at once for what a person has to mend', async () => {
    const { sim, health, fail } = setup();
    for (let failure = 0; failure < 3; failure += 1) {
      fail('unavailable');
      await sim.advance(5_000);
    }
    fail('unavailable');
    await sim.advance(7_000);
    expect(health.isPaused).toBe(true);
    fail('accessDenied');
    await sim.advance(29_000);
    expect(health.isPaused).toBe(true);
  });

  it('tells of a trouble and of its end once, and of another one anew', () => {
    const { health, fail, events, sim } = setup();
    fail('throttled');
    fail('throttled');
    fail('notFound');
    health.worked(sim.nowMs());
    health.worked(sim.nowMs());
    expect(events).toMatchObject([
      { code: 'throttled', resolved: false },
      { code: 'throttled', resolved: true },
      { code: 'notFound', resolved: false },
      { code: 'notFound', resolved: true },
    ]);
    expect(health.problem).toBeUndefined();
  });
});
