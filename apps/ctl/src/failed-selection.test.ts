import type { FailedBatch } from '@wherry/core/failed-store';
import { MemoryFailedStore } from '@wherry/testkit/memory-failed-store';
import { sampleConfig, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { describe, expect, test } from 'vitest';
import { checkSelection, type FailedSelection, sayBatches, selectBatches, type SelectedBatch } from './failed-selection.ts';
import { UsageError } from './io.ts';

const mapping = sampleStreamMapping({ name: 'clicks' });
const config = sampleConfig({ mappings: [mapping] });

function batchOf(id: string, changes: Partial<FailedBatch> = {}): FailedBatch {
  return {
    id,
    name: 'orders',
    mapping: 'clicks',
    mappingUuid: mapping.uuid,
    functionName: 'count',
    condition: 'RetryAttemptsExhausted',
    shardId: 'shardId-0',
    records: 2,
    firstSequenceNumber: '1',
    lastSequenceNumber: '2',
    failedAtMs: Number(id),
    document: '{}',
    eventBytes: 0,
    ...changes,
  };
}

async function storeOf(...batches: readonly FailedBatch[]): Promise<MemoryFailedStore> {
  const store = new MemoryFailedStore();
  for (const batch of batches) await store.put(batch, new Uint8Array());
  return store;
}

describe('a selection', () => {
  test.each<[FailedSelection, string]>([
    [{}, 'failed redrive needs to know which batches: name a mapping, --name, --id or --all'],
    [{ all: true, mapping: 'clicks' }, 'failed redrive: --all means every batch; leave it out, or a mapping'],
    [{ all: true, name: 'orders', mapping: 'clicks' }, 'failed redrive: --all means every batch; leave it out, or a mapping and --name'],
    [{ id: ['1'], all: true }, 'failed redrive: --id names the batches; --all cannot stand beside it'],
    [{ id: ['1'], name: 'orders' }, 'failed redrive: --id names the batches; --name cannot stand beside it'],
  ])('%j is bad usage', (selection, message) => {
    expect(() => checkSelection('failed redrive', selection)).toThrow(new UsageError(message));
  });

  test.each<[FailedSelection]>([
    [{ all: true }],
    [{ mapping: 'clicks' }],
    [{ name: 'orders' }],
    [{ name: 'orders', mapping: 'clicks' }],
    [{ id: ['1'] }],
  ])('%j is good', (selection) => {
    expect(() => checkSelection('failed redrive', selection)).not.toThrow();
  });

  test.each<[FailedSelection, readonly string[]]>([
    [{ all: true }, ['1', '2', '3', '4']],
    // The mapping's own name in the configuration finds what failed under an older one.
    [{ mapping: 'clicks' }, ['1', '2', '3']],
    [{ mapping: mapping.uuid }, ['1', '2', '3']],
    [{ mapping: 'gone' }, ['4']],
    [{ mapping: 'old-clicks' }, ['2']],
    [{ name: 'payments' }, ['3']],
    [{ name: 'wherry://failed/payments' }, ['3']],
    [{ name: 'payments', mapping: 'gone' }, []],
    [{ id: ['4', '1', '4'] }, ['4', '1']],
  ])('%j selects %j', async (selection, ids) => {
    const store = await storeOf(
      batchOf('1'),
      batchOf('2', { mapping: 'old-clicks' }),
      batchOf('3', { name: 'payments' }),
      batchOf('4', { mapping: 'gone', mappingUuid: 'another' }),
    );
    expect(await selectBatches(store, config, selection)).toEqual(ids.map((id) => expect.objectContaining({ id })));
  });

  test('of more than a page is complete, the oldest first', async () => {
    const ids = Array.from({ length: 1_200 }, (_, index) => String(10_000 + index));
    const selected = await selectBatches(await storeOf(...ids.map((id) => batchOf(id))), config, { all: true });
    expect((selected as SelectedBatch[]).map(({ id }) => id)).toEqual(ids);
  });

  test('by ids names the first one that is not there', async () => {
    expect(await selectBatches(await storeOf(batchOf('1')), config, { id: ['1', '2'] })).toEqual({ missing: '2' });
  });
});

test.each<[readonly (readonly [string, number])[], string]>([
  [[['clicks', 1]], '1 batch (1 record) of clicks'],
  [
    [
      ['clicks', 1_500],
      ['audit', 500],
      ['clicks', 0],
    ],
    '3 batches (2,000 records) of clicks, audit',
  ],
  [
    [
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['d', 1],
      ['e', 1],
    ],
    '5 batches (5 records) of a, b, c, 2 more mappings',
  ],
])('%j is said as %s', (batches, text) => {
  const selected = batches.map(([name, records]) => ({ id: '1', name: 'orders', mapping: name, mappingUuid: '', records }));
  expect(sayBatches(selected)).toBe(text);
});
