import { expect, it } from 'vitest';
import { checkStreamSeeds } from './check-seeds.ts';

it('keeps every promise on seeds 1 to 150', async (context) => {
  expect(await checkStreamSeeds(context, 1, 150)).toEqual([]);
});
