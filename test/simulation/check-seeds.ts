import { planSimulation } from '@wherry/testkit/simulation-plan';
import { planStreamSimulation } from '@wherry/testkit/stream-simulation-plan';
import type { TestContext } from 'vitest';
import { simulateStreams } from './simulate-streams.ts';
import { simulate } from './simulate.ts';

/** The one seed that somebody wants to see, if any. */
export const chosenSeed = process.env['SIM_SEED'];

/** Runs seeds of queues one after the other. @returns how each broken one can be run again, with the promise it broke */
export async function checkSeeds(context: TestContext, from: number, count: number): Promise<string[]> {
  return await check(context, from, count, 'replay', (seed) => simulate(planSimulation(seed)));
}

/** The same for streams. */
export async function checkStreamSeeds(context: TestContext, from: number, count: number): Promise<string[]> {
  return await check(context, from, count, 'stream-replay', (seed) => simulateStreams(planStreamSimulation(seed)));
}

async function check(
  context: TestContext,
  from: number,
  count: number,
  replay: string,
  run: (seed: number) => Promise<{ readonly violation: string | undefined }>,
): Promise<string[]> {
  if (chosenSeed !== undefined) context.skip('SIM_SEED is set: only that seed runs');
  const broken: string[] = [];
  for (let seed = from; seed < from + count && broken.length < 5; seed += 1) {
    const { violation } = await run(seed);
    if (violation !== undefined) broken.push(`${violation}\n  run it again: SIM_SEED=${seed} npm run sim -- /${replay}.test`);
  }
  return broken;
}
