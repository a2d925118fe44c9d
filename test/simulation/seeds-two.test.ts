import { expect, it } from 'vitest';
import { checkSeeds } from './check-seeds.ts';

it('keeps every promise on seeds 501 to 1,000', async (context) => {
  expect(await checkSeeds(context, 501, 500)).toEqual([]);
});

it("keeps every promise on today's seed", async (context) => {
  const seed = Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''));
  console.log(`simulation seed of the day: ${seed}`);
  expect(await checkSeeds(context, seed, 1)).toEqual([]);
});
