import { planSimulation } from '@wherry/testkit/simulation-plan';
import type { TestContext } from 'vitest';
import { simulate } from './simulate.ts';

/** The one seed that somebody wants to see, if any. */
export const chosenSeed = process.env['SIM_SEED'];

/** Runs seeds one after the other. @returns how each broken one can be run again, with the promise it broke */
export async function checkSeeds(context: TestContext, from: number, count: number): Promise<string[]> {
  if (chosenSeed !== undefined) context.skip('SIM_SEED is set: only that seed runs');
  const broken: string[] = [];
  for (let seed = from; seed < from + count && broken.length < 5; seed += 1) {
    const { violation } = await simulate(planSimulation(seed));
    if (violation !== undefined) broken.push(`${violation}\n  run it again: SIM_SEED=${seed} npm run sim`);
  }
  return broken;
}
