import { expect, test } from 'vitest';
import { discoveryUnitId, readUnitId } from './lease-unit.ts';
import { slotUnits } from './slots.ts';
import { shardUnitId, streamKey } from './stream/stream-identity.ts';

const mapping = '0b7e1111-1111-5111-8111-111111111111';

test('every unit id is read back, also where the shard id has dashes of its own', () => {
  const key = streamKey({ arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks', createdAtMs: 1 });
  expect(slotUnits({ uuid: mapping }, 12).map(({ id }) => readUnitId(id))).toEqual(
    Array.from({ length: 12 }, () => ({ kind: 'slot', mapping })),
  );
  expect(readUnitId(discoveryUnitId(mapping))).toEqual({ kind: 'discovery', mapping });
  for (const shardId of ['shardId-000000000007', 'shardId-00000001789651650123-0a1b2c3d', 'a.b_c-']) {
    expect(readUnitId(shardUnitId(mapping, key, shardId))).toEqual({ kind: 'shard', mapping, streamKey: key, shardId });
  }
});

test.each(['', 'sqs', 'sqs-', `queue-${mapping}-1`, 'shard-short-1', mapping])('%j names nothing', (id) => {
  expect(readUnitId(id)).toBeUndefined();
});
