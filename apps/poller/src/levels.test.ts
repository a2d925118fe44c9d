import { monitorEventLoopDelay } from 'node:perf_hooks';
import { discoveryUnitId } from '@wherry/core/lease-unit';
import type { FleetStatus, MappingStatus } from '@wherry/engine/fleet-status';
import { sampleStreamMapping } from '@wherry/testkit/sample-config';
import { expect, test } from 'vitest';
import { readLevels } from './levels.ts';

const NOW = Date.UTC(2026, 0, 1);
const { uuid } = sampleStreamMapping();

type Shard = NonNullable<MappingStatus['shards']>['here'][number];
const shard = (shardId: string, behindMs: number | null, blockedForMs?: number): Shard => {
  const lane = { lane: 0, reason: 'functionError', attempts: 3, error: 'TypeError', nextAtMs: NOW } as const;
  const blocked = blockedForMs === undefined ? [] : [{ ...lane, sinceMs: NOW - blockedForMs }];
  return { shardId, behindMs, blocked } as unknown as Shard;
};

function levelsOf(shards: MappingStatus['shards'], held: readonly string[] = []) {
  const mapping = { name: 'clicks', uuid, source: 'kinesis', functionName: 'orders', inFlight: 1, slotsDesired: 0, shards, gate: null };
  const status = { mappings: [mapping], held: held.map((id) => ({ id })), bufferedBytes: 0, bufferedEvents: 0, backpressure: false };
  return readLevels(status as unknown as FleetStatus, () => undefined, monitorEventLoopDelay(), NOW).mappings[0]?.stream;
}

test('a shard is as old as its reader is behind, or as its oldest failure, and 0 at the tip or before its first read', () => {
  const here = [shard('a', 1_500), shard('b', 200, 90_000), shard('c', 95_000, 90_000), shard('d', 0), shard('e', null)];
  expect(levelsOf({ known: 5, ended: 0, readable: 5, held: 5, here })).toEqual({
    shards: [
      { shard: 'a', isBlocked: false, ageMs: 1_500 },
      { shard: 'b', isBlocked: true, ageMs: 90_000 },
      { shard: 'c', isBlocked: true, ageMs: 95_000 },
      { shard: 'd', isBlocked: false, ageMs: 0 },
      { shard: 'e', isBlocked: false, ageMs: 0 },
    ],
  });
});

test('shards that nobody reads are told by the poller alone that lists the stream', () => {
  const shards = { known: 12, ended: 4, readable: 5, held: 3, here: [] };
  expect(levelsOf(shards)).toEqual({ shards: [] });
  expect(levelsOf(shards, [discoveryUnitId(uuid)])).toEqual({ shards: [], fleet: { waiting: 2, pending: 3, finished: 4 } });
});

test('a queue has no shards', () => {
  expect(levelsOf(null)).toBeUndefined();
});
