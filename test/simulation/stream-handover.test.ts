import { expect, it } from 'vitest';
import type { SimulatedStreamPlan } from '@wherry/testkit/stream-simulation-plan';
import { StreamSimulation } from './simulate-streams.ts';
import type { SimulatedStreamWorld } from './stream-poller.ts';
import { calmPlan, calmStream } from './stream-fleet.ts';

/** After how long a client gives up a call without an answer, and a poller a stream that it cannot reach. */
const CALL_GIVEN_UP_MS = 30_000;
const LEFT_TO_OTHERS_MS = 60_000;

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

it.each(['kinesis', 'dynamodb'] as const)('a poller that reaches the store and not %s leaves its shards to others', async (kind) => {
  const simulation = new StreamSimulation({ ...calmPlan(1, calmStream({ kind, records: 600 })), busyMs: 200_000 }, {}, false);
  const { sim, witness } = simulation;
  const [world] = [...simulation.streams.values()];
  simulation.begin();
  await sim.advance(30_000);
  const cutOff = simulation.pollers[1]!;
  const isHolding = (): boolean => [...witness.owners()].some(([unit, owner]) => owner === cutOff.token && unit.startsWith('shard-'));
  expect(isHolding()).toBe(true);
  cutOff.isCutOff = true;
  const cutAtMs = sim.nowMs();
  while (isHolding() && sim.nowMs() - cutAtMs < 300_000) await sim.advance(500);
  expect(sim.nowMs() - cutAtMs).toBeLessThanOrEqual(CALL_GIVEN_UP_MS + LEFT_TO_OTHERS_MS + 3_000);
  // Others read them: everything that was sent by now is done soon.
  const sentByNow = world!.ledger.unsettled().length;
  await sim.advance(15_000);
  expect(sentByNow).toBeGreaterThan(0);
  for (const shard of world!.stream.shards.values()) {
    const late = shard.records.filter(({ arrivedAtMs }) => arrivedAtMs < sim.nowMs() - 15_000);
    expect(late.filter(({ sequenceNumber }) => world!.ledger.account(sequenceNumber).ending === undefined)).toEqual([]);
  }
  expect(world!.ledger.duplicates).toBe(0);
  expect(simulation.trace.violation).toBeUndefined();
});
