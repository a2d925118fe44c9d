import { expect, it } from 'vitest';
import type { FunctionDefinition, SqsMapping } from './mapping.ts';
import { slotBounds, slotUnits } from './slots.ts';

// libs/core imports nothing, so only what the bounds look at is given.
const mapping = (given: Partial<SqsMapping> = {}): SqsMapping => ({ uuid: 'u', ...given }) as SqsMapping;
const fn = (given: Partial<FunctionDefinition> = {}): FunctionDefinition => ({ target: { kind: 'http' }, ...given }) as FunctionDefinition;
const rie = (urls: number, concurrency: number): FunctionDefinition =>
  fn({ target: { kind: 'rie', urls: Array(urls).fill('http://127.0.0.1:8080') as string[], concurrency } });

it.each([
  ['default', mapping(), fn(), [5, 2, 1_250, 300, 1]],
  ['MaximumConcurrency 1', mapping({ maximumConcurrency: 1 }), fn(), [1, 1, 1, 300, 1]],
  ['MaximumConcurrency 10 does not fall to 2', mapping({ maximumConcurrency: 10 }), fn(), [5, 5, 10, 300, 1]],
  ['provisioned', mapping({ provisionedPollerConfig: { minimumPollers: 3, maximumPollers: 40 } }), fn(), [3, 3, 40, 100, 10]],
  ['reserved concurrency 3', mapping(), fn({ reservedConcurrentExecutions: 3 }), [3, 2, 3, 300, 1]],
  ['reserved concurrency 0 stops it', mapping(), fn({ reservedConcurrentExecutions: 0 }), [0, 0, 0, 300, 1]],
  ['two RIE containers', mapping(), rie(2, 1), [2, 2, 2, 300, 1]],
  [
    'provisioned with reserved concurrency 15 needs two pollers',
    mapping({ provisionedPollerConfig: { minimumPollers: 5, maximumPollers: 9 } }),
    fn({ reservedConcurrentExecutions: 15 }),
    [2, 2, 2, 100, 10],
  ],
] as const)('bounds of the slots: %s', (_, given, target, expected) => {
  const { initial, floor, ceiling, growthPerMinute, batchesPerSlot } = slotBounds(given, target);
  expect([initial, floor, ceiling, growthPerMinute, batchesPerSlot]).toEqual(expected);
});

it('names the units of a mapping by its uuid', () => {
  expect(slotUnits(mapping(), 2)).toEqual([
    { id: 'sqs-u-0', weight: 1 },
    { id: 'sqs-u-1', weight: 1 },
  ]);
});
