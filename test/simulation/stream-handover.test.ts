import { expect, it } from 'vitest';
import type { SimulatedStreamPlan } from '@wherry/testkit/stream-simulation-plan';
import { StreamSimulation } from './simulate-streams.ts';
import type { SimulatedStreamWorld } from './stream-poller.ts';
import { calmPlan, calmStream } from './stream-fleet.ts';

interface Trouble {
  readonly name: string;
  readonly stream?: Partial<SimulatedStreamPlan>;
  readonly begin?: (simulation: StreamSimulation, world: SimulatedStreamWorld) => void;
  readonly end?: (simulation: StreamSimulation, world: SimulatedStreamWorld) => void;
  /** The trouble is in the records themselves and never ends. */
  readonly isLasting?: boolean;
}

const setTarget =
  (kind: 'isDown' | 'isThrottled', isSo: boolean): NonNullable<Trouble['begin']> =>
  (_simulation, world) => {
    world.function[kind] = isSo;
  };

const troubles: readonly Trouble[] = [
  { name: 'a lane is blocked by a record that fails for ever', stream: { poisonEvery: 40 }, isLasting: true },
  { name: 'lanes are blocked and others go on', stream: { poisonEvery: 40, parallelizationFactor: 4 }, isLasting: true },
  { name: 'a window is blocked', stream: { poisonEvery: 40, tumblingWindowInSeconds: 5 }, isLasting: true },
  {
    name: 'the failure destination refuses',
    stream: { poisonEvery: 40, maximumRetryAttempts: 0 },
    begin: ({ world }) => (world.isDestinationDown = true),
    end: ({ world }) => (world.isDestinationDown = false),
  },
  { name: 'the target is down', begin: setTarget('isDown', true), end: setTarget('isDown', false) },
  { name: 'the target has no capacity', begin: setTarget('isThrottled', true), end: setTarget('isThrottled', false) },
  {
    name: 'reads get no answer',
    begin: ({ pollers }) => (pollers[1]!.isCutOff = true),
    end: ({ pollers }) => (pollers[1]!.isCutOff = false),
  },
];

it.each(troubles)('a drained poller hands its shards over within 2 s although $name', async ({ stream, begin, end, isLasting = false }) => {
  const simulation = new StreamSimulation({ ...calmPlan(1, calmStream({ records: 600, ...stream })), busyMs: 60_000 }, {}, false);
  const { sim, witness, trace } = simulation;
  const [world] = [...simulation.streams.values()];
  const shardsOf = (owner: string): string[] => [...witness.owners()].filter((one) => one[1] === owner).map(([unit]) => unit);
  simulation.begin();
  await sim.advance(20_000);
  begin?.(simulation, world!);
  await sim.advance(40_000);
  const leaving = simulation.pollers[1]!;
  const theirs = shardsOf(leaving.token);
  expect(theirs.length).toBeGreaterThan(0);
  leaving.drain();
  const drainedAtMs = sim.nowMs();
  while (theirs.some((unit) => (witness.owners().get(unit) ?? leaving.token) === leaving.token) && sim.nowMs() - drainedAtMs < 60_000) {
    await sim.advance(100);
  }
  expect(sim.nowMs() - drainedAtMs).toBeLessThanOrEqual(2_000);
  expect(leaving.isStopped).toBe(true);
  end?.(simulation, world!);
  if (!isLasting) {
    const endedAtMs = sim.nowMs();
    while (world!.ledger.unsettled().length > 0 && sim.nowMs() - endedAtMs < 120_000) await sim.advance(1_000);
    expect(world!.ledger.unsettled()).toEqual([]);
  }
  expect(world!.ledger.duplicates).toBe(0);
  await simulation.stop();
  expect(trace.violation).toBeUndefined();
});
