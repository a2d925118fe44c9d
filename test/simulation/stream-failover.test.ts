import { expect, it } from 'vitest';
import { simulateStreams, type StreamSimulationResult } from './simulate-streams.ts';
import { calmPlan, calmStream } from './stream-fleet.ts';

const TTL_MS = 10_000;

interface Step {
  readonly atMs: number;
  readonly words: readonly string[];
}

function steps(result: StreamSimulationResult): Step[] {
  return result.trace.map((line) => {
    const [at, ...words] = line.split(' ');
    return { atMs: Number(at), words };
  });
}

/** How long each of the victim's shards had no working owner: from `startOf(unit)` to the next acquisition by another poller. */
function gapsAfterFault(
  result: StreamSimulationResult,
  startOf: (unit: string, faultAtMs: number, all: readonly Step[]) => number | undefined,
): number[] {
  const all = steps(result);
  const fault = all.find((step) => step.words[0] === 'fault')!;
  const victim = fault.words[2];
  const held = new Set<string>();
  for (const { atMs, words } of all) {
    if (atMs > fault.atMs) break;
    if (words[0] === 'acquired' && words[2] === victim) held.add(words[1]!);
    if (words[0] === 'released' && words[2] === victim) held.delete(words[1]!);
  }
  expect(held.size).toBeGreaterThan(0);
  return [...held].map((unit) => {
    const startMs = startOf(unit, fault.atMs, all);
    const next = all.find(({ atMs, words }) => atMs > fault.atMs && words[0] === 'acquired' && words[1] === unit && words[2] !== victim);
    return startMs === undefined || next === undefined ? Number.POSITIVE_INFINITY : next.atMs - startMs;
  });
}

/** When the victim heard of its last batch; the fault's own time if nothing ran. */
function lastBatchEnded(faultAtMs: number, all: readonly Step[]): number {
  const victim = all.find((step) => step.words[0] === 'fault')!.words[2];
  const heard = all.filter(({ atMs, words }) => atMs >= faultAtMs && words[0] === 'heard' && words[1] === victim);
  return heard.at(-1)?.atMs ?? faultAtMs;
}

it('takes every shard of a killed poller over within ttl + 3 s', async () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const result = await simulateStreams(calmPlan(seed, calmStream({ parallelizationFactor: seed % 3 === 0 ? 4 : 1 }), 'kill'), {}, true);
    expect(result.violation).toBeUndefined();
    for (const gapMs of gapsAfterFault(result, (_unit, faultAtMs) => faultAtMs)) expect(gapMs).toBeLessThanOrEqual(TTL_MS + 3_000);
  }
});

it('hands every shard of a drained poller over within 2 s of its last batch, without a duplicate', async () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const stream = calmStream({ parallelizationFactor: seed % 3 === 0 ? 4 : 1, maximumBatchingWindowInSeconds: seed % 2 === 0 ? 5 : 0 });
    const result = await simulateStreams(calmPlan(seed, stream, 'drain'), {}, true);
    expect(result.violation).toBeUndefined();
    expect(result.duplicates).toBe(0);
    for (const gapMs of gapsAfterFault(result, (_unit, faultAtMs, all) => lastBatchEnded(faultAtMs, all))) {
      expect(gapMs).toBeLessThanOrEqual(2_000);
    }
  }
});

it('a reload, a join and resharding cost no duplicate while nothing fails', async () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const reshards = [
      { kind: 'split', atMs: 6_000, nth: seed },
      { kind: 'merge', atMs: 14_000, nth: 0 },
      { kind: 'roll', atMs: 22_000, nth: 2 },
    ] as const;
    const stream = calmStream({
      kind: seed % 2 === 0 ? 'kinesis' : 'dynamodb',
      reshards,
      reloaded: { parallelizationFactor: 4, batchSize: 3 },
    });
    const result = await simulateStreams(calmPlan(seed, stream, seed % 4 < 2 ? 'reload' : 'join'));
    expect(result.violation).toBeUndefined();
    expect(result.duplicates).toBe(0);
    expect(result.delivered).toBe(300);
  }
});
