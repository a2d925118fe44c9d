import { expect, it } from 'vitest';
import { planStreamSimulation } from '@wherry/testkit/stream-simulation-plan';
import { chosenSeed } from './check-seeds.ts';
import { simulateStreams } from './simulate-streams.ts';

it('is the same to the byte when a seed is run again', async () => {
  for (const seed of [3, 5, 36, 92]) {
    const first = await simulateStreams(planStreamSimulation(seed), {}, true);
    const second = await simulateStreams(planStreamSimulation(seed), {}, true);
    expect(second.trace.join('\n')).toBe(first.trace.join('\n'));
    expect(second.digest).toBe(first.digest);
  }
});

it('differs from seed to seed', async () => {
  const digests = new Set<number>();
  for (let seed = 1; seed <= 10; seed += 1) digests.add((await simulateStreams(planStreamSimulation(seed))).digest);
  expect(digests.size).toBe(10);
});

it('shows the seed in SIM_SEED', async (context) => {
  if (chosenSeed === undefined) context.skip('no SIM_SEED is set');
  const plan = planStreamSimulation(Number(chosenSeed));
  const result = await simulateStreams(plan, {}, true);
  console.log(`${JSON.stringify(plan, undefined, 2)}\n${result.trace.join('\n')}`);
  expect(result.violation).toBeUndefined();
});
