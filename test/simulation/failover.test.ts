import { expect, it } from 'vitest';
import type { FaultKind, SimulationPlan } from '@wherry/testkit/simulation-plan';
import { simulate, type SimulationResult } from './simulate.ts';

const TTL_MS = 10_000;

/** Three pollers under steady load, and one of them is stopped in the middle of it. */
function planOf(seed: number, kind: FaultKind): SimulationPlan {
  return {
    seed,
    pollers: 3,
    isFunctionShared: false,
    busyMs: 30_000,
    drainWithinMs: 120_000,
    wallSkewMs: 5_000,
    latencyMs: 5,
    bufferedBytes: 64 * 1024 * 1024,
    inFlight: 200,
    shardsPerPoller: 500,
    faults: [{ kind, atMs: 10_000 + seed * 370, durationMs: 20_000, target: seed }],
    queues: [
      {
        name: 'queue-0',
        fifo: false,
        messages: 300,
        groups: 1,
        bodyBytes: 100,
        poisonEvery: 0,
        unwantedEvery: 0,
        visibilityTimeoutSeconds: 18,
        maxReceiveCount: 5,
        batchSize: 1,
        maximumConcurrency: 9,
        maximumBatchingWindowInSeconds: 0,
        reportBatchItemFailures: false,
        timeoutSeconds: 3,
        latencyMs: [300, 900],
        rates: { functionError: 0, partial: 0, throttled: 0, unavailable: 0, slow: 0 },
      },
    ],
  };
}

interface Step {
  readonly atMs: number;
  readonly words: readonly string[];
}

function steps(result: SimulationResult): Step[] {
  return result.trace.map((line) => {
    const [at, ...words] = line.split(' ');
    return { atMs: Number(at), words };
  });
}

/** How long each of the victim's units had no working owner: from `startOf(unit)` to the next acquisition by another poller. */
function gapsAfterFault(
  result: SimulationResult,
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

it('takes every slot of a killed poller over within ttl + 3 s', async () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const result = await simulate(planOf(seed, 'kill'), {}, true);
    expect(result.violation).toBeUndefined();
    for (const gapMs of gapsAfterFault(result, (_unit, faultAtMs) => faultAtMs)) expect(gapMs).toBeLessThanOrEqual(TTL_MS + 3_000);
  }
});

it('hands every slot of a drained poller over within 2 s of its last batch, without a duplicate', async () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const result = await simulate(planOf(seed, 'drain'), {}, true);
    expect(result.violation).toBeUndefined();
    expect(result.duplicates).toBe(0);
    const released = (unit: string, faultAtMs: number, all: readonly Step[]): number | undefined =>
      all.find(({ atMs, words }) => atMs >= faultAtMs && words[0] === 'released' && words[1] === unit)?.atMs;
    for (const gapMs of gapsAfterFault(result, released)) expect(gapMs).toBeLessThanOrEqual(2_000);
  }
});
