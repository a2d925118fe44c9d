import { describe, expect, it } from 'vitest';
import { CREATION_TIME_CUT_MS, LATEST_WITHIN_MS, openingAfterExpired, openingOf } from './shard-opening.ts';
import { FROM_THE_OLDEST, readPosition, type StoredPosition, writePosition } from './stored-position.ts';

const AT = 1_790_000_000_000;
const since: StoredPosition = { kind: 'AT_TIMESTAMP', timestampMs: AT };
const after: StoredPosition = { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '49668000000000000000000000000000000000000000000000000002' };
const at: StoredPosition = { ...after, kind: 'AT_SEQUENCE_NUMBER' };
const first = { isFirstOwner: true, nowMs: AT + 1_000 };
const oldestSince = { position: FROM_THE_OLDEST, leaveOutBeforeMs: AT - CREATION_TIME_CUT_MS };

describe('a lease row holds', () => {
  it.each([FROM_THE_OLDEST, since, after, at])('$kind, and gives it back', (position) => {
    expect(readPosition(writePosition(position))).toEqual(position);
  });

  it.each([
    '',
    'LATEST',
    'abc',
    'AT_TIMESTAMP:',
    'AT_TIMESTAMP:soon',
    'AT_TIMESTAMP:99999999999999999999',
    'AT_SEQUENCE_NUMBER:',
    'AT_SEQUENCE_NUMBER:x',
    '-1',
    '1e9',
  ])('nothing that %j could mean', (text) => {
    expect(readPosition(text)).toBeUndefined();
  });
});

describe('opening a shard', () => {
  it.each([FROM_THE_OLDEST, since, after, at])('Kinesis reads from where the row says: $kind', (stored) => {
    expect(openingOf(stored, { source: 'kinesis', ...first })).toEqual({ position: stored });
  });

  it.each([
    { name: 'its first owner opens LATEST', situation: first, opening: { position: { kind: 'LATEST' } } },
    { name: 'a successor reads what came since', situation: { ...first, isFirstOwner: false }, opening: oldestSince },
    { name: 'so does a first owner who comes late', situation: { ...first, nowMs: AT + LATEST_WITHIN_MS }, opening: oldestSince },
    { name: 'or whose clock is wrong', situation: { ...first, nowMs: AT - LATEST_WITHIN_MS }, opening: oldestSince },
  ])('DynamoDB, begun at LATEST: $name', ({ situation, opening }) => {
    expect(openingOf(since, { source: 'dynamodb', ...situation })).toEqual(opening);
  });

  it.each([FROM_THE_OLDEST, after])('DynamoDB reads on from $kind', (stored) => {
    expect(openingOf(stored, { source: 'dynamodb', ...first })).toEqual({ position: stored });
  });
});

describe('LIF-06 the reader says that its place is gone', () => {
  it.each([
    { source: 'kinesis', stored: after, hasRead: true },
    { source: 'kinesis', stored: after, hasRead: false },
    { source: 'kinesis', stored: since, hasRead: false },
    { source: 'dynamodb', stored: after, hasRead: false },
    { source: 'dynamodb', stored: FROM_THE_OLDEST, hasRead: true },
  ] as const)('$source at $stored.kind goes on at the oldest record, with a warning', ({ source, stored, hasRead }) => {
    expect(openingAfterExpired(stored, hasRead, source)).toEqual({ position: FROM_THE_OLDEST, mayHaveLost: true });
  });

  it('LIF-05 a DynamoDB iterator for LATEST that ran out unused is replaced by what came since, without a gap', () => {
    expect(openingAfterExpired(since, false, 'dynamodb')).toEqual({ ...oldestSince, mayHaveLost: false });
    expect(openingAfterExpired(since, true, 'dynamodb')).toEqual({ ...oldestSince, mayHaveLost: true });
  });
});
