import { beforeAll, expect, it } from 'vitest';
import { StreamSimulation } from './simulate-streams.ts';
import { calmPlan, calmStream } from './stream-fleet.ts';

const SHARDS = 1_000;
const TTL_MS = 10_000;
/** Two looks at the balance, 10 s apart and each up to 10 % late, a renewal and a claim scan. */
const BALANCED_WITHIN_MS = 22_000 + 3_300 + 1_100;

/** That many shards on three pollers that start within 2 s of each other. */
function fleetOf(shards: number): StreamSimulation {
  const stream = calmStream({ shards, records: 2_000, keys: 4_000, batchSize: 100 });
  return new StreamSimulation({ ...calmPlan(1, stream), shardsPerPoller: 600 }, {}, false);
}

const simulation = fleetOf(SHARDS);
const { sim, witness } = simulation;
const [stream] = [...simulation.streams.values()];

function shardsOf(token: string): string[] {
  return [...witness.owners()].filter(([unit, owner]) => owner === token && unit.startsWith('shard-')).map(([unit]) => unit);
}

function callsOf({ world }: StreamSimulation): number {
  return [...world.storeCalls.values()].reduce((sum, calls) => sum + calls, 0);
}

/** Lets virtual time pass until the condition holds. @returns how long it took, or Infinity */
async function until(condition: () => boolean, withinMs: number): Promise<number> {
  const startMs = sim.nowMs();
  while (!condition()) {
    if (sim.nowMs() - startMs > withinMs) return Infinity;
    await sim.advance(100);
  }
  return sim.nowMs() - startMs;
}

beforeAll(async () => {
  simulation.begin();
  await sim.advance(BALANCED_WITHIN_MS + 10_000);
}, 60_000);

it('1,000 shards are spread evenly over three pollers', () => {
  const counts = simulation.pollers.map(({ token }) => shardsOf(token).length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(SHARDS);
  for (const count of counts) expect(Math.abs(count - SHARDS / 3)).toBeLessThanOrEqual(SHARDS * 0.05);
});

it('what three pollers ask of the store does not grow with the shards', async () => {
  const few = fleetOf(10);
  few.begin();
  await few.sim.advance(BALANCED_WITHIN_MS + 10_000);
  const calls: number[] = [];
  for (const fleet of [few, simulation]) {
    // Until everything that was sent is checkpointed.
    await fleet.sim.advance(30_000);
    const before = callsOf(fleet);
    await fleet.sim.advance(20_000);
    calls.push((callsOf(fleet) - before) / 3 / 20);
  }
  expect(calls[1]).toBeLessThan(12);
  expect(calls[1]).toBeLessThanOrEqual(1.1 * calls[0]!);
});

it('idle shards are read at a pace that their number sets', async () => {
  const before = stream!.stream.readCalls;
  await sim.advance(20_000);
  const readsPerSecond = (stream!.stream.readCalls - before) / 20;
  expect(readsPerSecond).toBeLessThanOrEqual(3 * 260);
  expect(readsPerSecond).toBeGreaterThan(3 * 200);
});

it('a drained poller hands all its shards over within 2 s, without a duplicate, and the others share them', async () => {
  const [leaving] = simulation.pollers;
  const joining = simulation.start();
  expect(await until(() => shardsOf(joining.token).length >= SHARDS / 4 - SHARDS * 0.05, 300_000)).toBeLessThan(Infinity);
  const theirs = shardsOf(leaving!.token);
  expect(theirs.length).toBeGreaterThan(200);
  leaving!.drain();
  const isTakenOver = (): boolean => theirs.every((unit) => (witness.owners().get(unit) ?? leaving!.token) !== leaving!.token);
  expect(await until(isTakenOver, 60_000)).toBeLessThanOrEqual(2_000);
  expect(stream!.ledger.duplicates).toBe(0);
});

it('all shards of a killed poller have another owner within ttl + 3 s', async () => {
  await sim.advance(5_000);
  const victim = simulation.living().at(-1)!;
  const theirs = shardsOf(victim.token);
  expect(theirs.length).toBeGreaterThan(200);
  victim.process.kill();
  const isTakenOver = (): boolean => theirs.every((unit) => (witness.owners().get(unit) ?? victim.token) !== victim.token);
  expect(await until(isTakenOver, 60_000)).toBeLessThanOrEqual(TTL_MS + 3_000);
  expect(simulation.trace.violation).toBeUndefined();
});

it('every record was delivered once', async () => {
  await sim.advance(15_000);
  expect(stream!.ledger.unsettled()).toEqual([]);
  expect(stream!.ledger.delivered).toBe(2_000);
  await simulation.stop();
  expect(simulation.trace.violation).toBeUndefined();
});
