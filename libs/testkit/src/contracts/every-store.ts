import type { Coordination } from '@wherry/core/coordination';
import type { FailedStore } from '@wherry/core/failed-store';
import { expect } from 'vitest';
import { auditEntry } from './audit-store.ts';
import { failedBatch } from './failed-store.ts';

/** Calls every method of every store once or more: for what has to hold for all of them, such as where keys live and which commands are used. */
export async function useEveryStore(coordination: Coordination, failed: FailedStore): Promise<void> {
  await useLeases(coordination);
  await useQueueState(coordination);
  await useStreams(coordination);
  await useFailed(failed);
}

async function useLeases({ leases }: Coordination): Promise<void> {
  const ids = Array.from({ length: 200 }, (_, i) => `sqs-${i}`);
  await Promise.all(ids.map((id) => leases.acquire(id, 'ann', 10_000)));
  const held = ids.map((id) => ({ id, epoch: 1 }));
  expect(new Set(await leases.renew('ann', held, 10_000))).toEqual(new Set(['renewed']));
  expect(await leases.checkpoint('sqs-1', 'ann', 1, '7', 'w')).toBe('written');
  await leases.create(['sqs-left', 'sqs-right'].map((id) => ({ id, checkpoint: 'TRIM_HORIZON', ended: false })));
  expect(await leases.end('sqs-1', 'ann', 1)).toBe('written');
  expect(await leases.note('sqs-2', 'ann', 1, '{}')).toBe(true);
  await leases.reposition(['sqs-3', 'sqs-4'].map((id) => ({ id, checkpoint: 'TRIM_HORIZON', ended: false })));
  expect((await leases.view(['sqs-1', 'sqs-left']))[1]).toMatchObject({ checkpoint: 'TRIM_HORIZON' });
  expect(await leases.want('sqs-2', 'bob', 10_000)).toBe(true);
  expect(await leases.release('sqs-2', 'ann', 1)).toBe(true);
  await leases.remove(ids);
}

async function useQueueState({ members, permits, gates, scale }: Coordination): Promise<void> {
  const load = { leases: 0, inFlight: 0, bufferedBytes: 0 };
  await members.heartbeat(
    'ann',
    { version: '1', configHash: '', capacity: 1, draining: false, startedAtMs: 0, adminUrl: '', ...load },
    10_000,
  );
  expect(await members.members()).toHaveLength(1);
  await members.leave('ann');
  const scopes = [
    { scope: 'mapping', limit: 1 },
    { scope: 'function', limit: 1 },
  ];
  expect(await permits.acquire('f', scopes, 't', 10_000)).toBe(true);
  await permits.release('f', ['mapping', 'function'], 't');
  expect(await permits.inUse('f', 'mapping')).toBe(0);
  await gates.open('x', 10_000, 0, 'refused');
  await gates.throttle('y', 10_000, '429');
  expect([...(await gates.gates(['x', 'y', 'z'])).keys()]).toEqual(['x', 'y']);
  expect(await gates.tryProbe('x', 'ann', 1_000)).toBe(false);
  await gates.close('x');
  expect(await scale.adjust('m', 1, { initial: 5, floor: 2, ceiling: 9, growthPerMinute: 300 })).toBe(6);
  const initial = [
    { id: 'm', initial: 5 },
    { id: 'n', initial: 4 },
  ];
  expect((await scale.desired(initial)).get('m')).toBe(6);
  await scale.note([{ id: 'm', slots: 5 }]);
  expect(await scale.forgotten(0)).toHaveLength(1);
  await scale.forget('m', 0);
}

async function useStreams({ streams, pauses, audit }: Coordination): Promise<void> {
  const mappings = Array.from({ length: 20 }, (_, i) => `mapping-${i}`);
  const stream = { arn: 'arn', createdAtMs: 1 };
  const change = {
    register: [{ shardId: 's', parentShardIds: [] }],
    missing: ['s'],
    nowMs: 1,
    foundAgain: [],
    retire: ['s'],
    unregister: [],
  };
  for (const mapping of mappings) await streams.change(mapping, stream, change);
  const registers = await streams.read(mappings.map((id) => ({ id })));
  expect(registers.map((register) => typeof register === 'object' && register.shards.length)).toEqual(mappings.map(() => 1));
  expect(await streams.streams('mapping-3')).toEqual([stream]);
  await streams.remove('mapping-3', stream);
  await pauses.pause('mapping-1', 'ann', 'why', 10_000);
  expect((await pauses.pauses()).size).toBe(1);
  expect(await pauses.resume('mapping-1')).toBe(true);
  await audit.append(auditEntry(1));
  expect(await audit.newest(5)).toEqual([auditEntry(1)]);
}

async function useFailed(failed: FailedStore): Promise<void> {
  for (let number = 0; number < 3; number += 1) await failed.put(failedBatch(number), new Uint8Array(number));
  expect(await failed.remove([failedBatch(0).id])).toBe(1);
  expect(await failed.list({ limit: 5, after: failedBatch(0).id, name: 'orders' })).toEqual([1, 2].map((number) => failedBatch(number)));
  expect((await failed.get(failedBatch(2).id))?.event).toHaveLength(2);
  expect((await failed.counts()).get('orders')).toEqual({ batches: 2, bytes: 3 });
}
