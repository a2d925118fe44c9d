import { expect, it } from 'vitest';
import { checkStreamSeeds } from './check-seeds.ts';

it('keeps every promise on seeds 151 to 300', async (context) => {
  expect(await checkStreamSeeds(context, 151, 150)).toEqual([]);
});

it("keeps every promise on today's seed", async (context) => {
  const seed = Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''));
  console.log(`stream simulation seed of the day: ${seed}`);
  expect(await checkStreamSeeds(context, seed, 1)).toEqual([]);
});
