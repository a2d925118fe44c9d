import { expect, it } from 'vitest';
import { checkSeeds } from './check-seeds.ts';

it('keeps every promise on seeds 1 to 500', async (context) => {
  expect(await checkSeeds(context, 1, 500)).toEqual([]);
});
