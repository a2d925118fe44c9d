import { expect, it } from 'vitest';
import { isSourceOf, shardUnitId, startingPositionAt, streamKey } from './stream-identity.ts';

const arn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks';
const stream = { arn, createdAtMs: 1_790_000_000_000 };
const createdAgain = { arn, createdAtMs: 1_790_000_500_000 };
const table = { arn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/T/stream/2026-09-17T12:49:54.528', createdAtMs: undefined };

it('the key of a stream never changes, because checkpoints are found by it', () => {
  expect(streamKey(stream)).toBe('3773f747');
  expect(streamKey(table)).toBe('7d17c324');
  expect(shardUnitId('5e0c', streamKey(table), 'shardId-00000001')).toBe('shard-5e0c-7d17c324-shardId-00000001');
});

it('a stream that was created again finds nothing of its predecessor', () => {
  expect(streamKey(createdAgain)).not.toBe(streamKey(stream));
});

it.each([
  { name: 'the first stream', current: stream, before: undefined, kind: 'LATEST' },
  { name: 'the same stream', current: stream, before: stream, kind: 'LATEST' },
  { name: 'created again under its name', current: createdAgain, before: stream, kind: 'TRIM_HORIZON' },
  { name: 'another stream, chosen in the configuration', current: table, before: stream, kind: 'LATEST' },
])('$name begins at $kind where the mapping says LATEST', ({ current, before, kind }) => {
  expect(startingPositionAt(current, before, { kind: 'LATEST' })).toEqual({ kind });
});

it.each([
  [arn, true],
  [`${arn}/consumer/app:1790000000`, true],
  [`${arn}-2`, false],
  [table.arn, false],
])('%s reads the stream: %s', (eventSourceArn, expected) => {
  expect(isSourceOf(stream, eventSourceArn)).toBe(expected);
});
