import { readUnitId } from '@wherry/core/lease-unit';
import type { Mapping } from '@wherry/core/mapping';
import type { MappingSetup } from '@wherry/core/reload-plan';
import { shardUnitId } from '@wherry/core/stream/stream-identity';
import { DiscoveryWorld } from '@wherry/testkit/discovery-world';
import { sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { expect, it } from 'vitest';
import { MappingPauses } from './mapping-pauses.ts';
import { StreamMemory } from './stream/stream-memory.ts';
import { UnitPlanner } from './unit-planner.ts';

/** A stream of so many shards that have their rows, and queues that wish for so many slots. */
async function setup(shards: number, wishes: readonly number[], leaseRoom = 1_000) {
  const world = new DiscoveryWorld(0);
  const { clock, mapping: stream, key } = world;
  const coordination = world.real;
  const told: string[] = [];
  const registered = Array.from({ length: shards }, (_, i) => ({ shardId: `shard${i}`, parentShardIds: [] }));
  const none = { missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] };
  await coordination.leases.create(
    registered.map(({ shardId }) => ({ id: shardUnitId(stream.uuid, key, shardId), checkpoint: 'TRIM_HORIZON', ended: false })),
  );
  await coordination.streams.change(stream.uuid, world.source.identityNow, { register: registered, ...none });
  const queues = wishes.map((_, index) => sampleMapping({ name: `queue${index}`, uuid: `${index}1111111-1111-5111-8111-111111111111` }));
  for (const [index, { uuid }] of queues.entries()) {
    const bounds = { initial: 5, floor: 2, ceiling: 1_000, growthPerMinute: 1_000 };
    await coordination.scale.adjust(uuid, wishes[index]! - 5, bounds);
  }
  const mappings: Mapping[] = [stream, ...queues];
  const setups: MappingSetup[] = mappings.map((mapping) => ({ mapping, function: sampleFunction() }));
  const polling = { setups };
  const pauses = new MappingPauses(
    coordination.pauses,
    () => mappings,
    ({ type }) => void told.push(type),
  );
  const memory = new StreamMemory();
  const planner = new UnitPlanner({ coordination, clock, memory, pauses, polling: () => polling.setups, leaseRoom: () => leaseRoom });
  /** Units of each mapping. */
  const counts = async (): Promise<number[]> => {
    const { units } = await planner.plan();
    const byMapping = Map.groupBy(units, ({ id }) => readUnitId(id)?.mapping);
    return mappings.map(({ uuid }) => byMapping.get(uuid)?.length ?? 0);
  };
  return { coordination, stream, queues, polling, planner, counts, told };
}

it('plans the chore and the shards of a stream, and the slots that each queue wishes for', async () => {
  const { planner, counts, stream, queues } = await setup(3, [5, 9]);
  expect(await counts()).toEqual([4, 5, 9]);
  expect([planner.streams.count(stream.uuid).readable, ...queues.map(({ uuid }) => planner.slots(uuid))]).toEqual([3, 5, 9]);
});

it('shards come first where the fleet has not room for all, and queues share what is left', async () => {
  const { counts } = await setup(30, [5, 40, 40], 56);
  expect(await counts()).toEqual([31, 5, 10, 10]);
});

it('every queue keeps a slot, also where shards alone fill the fleet', async () => {
  const { counts } = await setup(30, [5, 40], 10);
  expect(await counts()).toEqual([31, 1, 1]);
});

it('what is paused has no units, leaves its room to others, and is told once when it begins and once when it ends', async () => {
  const { counts, coordination, stream, queues, told } = await setup(30, [40, 40], 71);
  expect(await counts()).toEqual([31, 20, 20]);
  await coordination.pauses.pause(stream.uuid, 'ann', '', Infinity);
  await coordination.pauses.pause(queues[0]!.uuid, 'ann', '', Infinity);
  expect(await counts()).toEqual([0, 0, 40]);
  expect(await counts()).toEqual([0, 0, 40]);
  expect(told).toEqual(['paused', 'paused']);
  await coordination.pauses.resume(stream.uuid);
  expect(await counts()).toEqual([31, 0, 40]);
  expect(told).toEqual(['paused', 'paused', 'resumed']);
});

it('what was reloaded while the store was asked is left to the next scan', async () => {
  const { counts, coordination, polling, stream } = await setup(2, [5]);
  const read = coordination.streams.read.bind(coordination.streams);
  coordination.streams.read = (mappings) => {
    polling.setups = polling.setups.map((old) => (old.mapping.uuid === stream.uuid ? { ...old } : old));
    return read(mappings);
  };
  expect(await counts()).toEqual([0, 5]);
});
