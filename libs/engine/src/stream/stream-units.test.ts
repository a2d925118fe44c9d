import { discoveryUnitId } from '@wherry/core/lease-unit';
import { DiscoveryWorld } from '@wherry/testkit/discovery-world';
import { sampleStreamMapping } from '@wherry/testkit/sample-config';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, it } from 'vitest';
import { StreamDiscovery } from './stream-discovery.ts';
import { StreamMemory } from './stream-memory.ts';
import { StreamUnits } from './stream-units.ts';

function setup(shards: number) {
  const world = new DiscoveryWorld(shards);
  const random = seededRandom(1);
  const memory = new StreamMemory();
  const surroundings = { clock: world.clock, random, newId: () => '' };
  const { mapping, source } = world;
  const discovery = new StreamDiscovery({ surroundings, mapping, source, ...world.store, memory, observe: () => {} });
  const look = () => world.finish(discovery.look(new AbortController().signal));
  const units = new StreamUnits({ ...world.store, clock: world.clock, memory });
  /** Numbers of the shards that somebody has to hold. */
  const shardsNow = async (mappings = [mapping]): Promise<number[]> => {
    const planned = await units.plan(mappings);
    return [...planned.units.values()]
      .flat()
      .filter(({ id }) => id.startsWith('shard-'))
      .map(({ id }) => Number(id.slice(-12)))
      .toSorted((one, other) => one - other);
  };
  const viewed = async (): Promise<number> => (await units.plan([mapping])).views.size;
  return { world, random, memory, look, units, shardsNow, viewed };
}

const idOf = (number: number): string => `shardId-${String(number).padStart(12, '0')}`;

it('before the first look there is the chore alone; afterwards every shard that may be read', async () => {
  const { world, look, units, shardsNow } = setup(2);
  expect((await units.plan([world.mapping])).units).toEqual(
    new Map([[world.mapping.uuid, [{ id: discoveryUnitId(world.mapping.uuid), weight: 1 }]]]),
  );
  await look();
  expect(await shardsNow()).toEqual([0, 1]);
  expect(units.count(world.mapping.uuid)).toEqual({ known: 2, ended: 0, readable: 2 });
});

it('LIF-03 LIF-04 children come when all their parents have ended, siblings at once', async () => {
  const { world, random, look, units, shardsNow } = setup(1);
  world.source.stream.split(random, world.sim.nowMs());
  world.source.stream.merge(random, world.sim.nowMs());
  await look();
  expect(await shardsNow()).toEqual([0]);
  await world.read(idOf(0), '5', true);
  expect(await shardsNow()).toEqual([1, 2]);
  await world.read(idOf(1), '8', true);
  expect(await shardsNow()).toEqual([2]);
  expect(units.count(world.mapping.uuid)).toEqual({ known: 4, ended: 2, readable: 1 });
  await world.read(idOf(2), '9', true);
  expect(await shardsNow()).toEqual([3]);
});

it('a shard whose row is gone is nobody’s until discovery has decided what that means', async () => {
  const { world, look, shardsNow } = setup(2);
  await look();
  await world.real.leases.remove([world.unit(idOf(0))]);
  // Who had planned it before takes a row without a position, and gives it back.
  await world.real.leases.acquire(world.unit(idOf(0)), 'early', 10_000);
  expect(await shardsNow()).toEqual([1]);
  await world.real.leases.release(world.unit(idOf(0)), 'early', 1);
  await look();
  expect(await shardsNow()).toEqual([0, 1]);
});

it('generations that are over cost nothing but a look now and then, and 1,000 open shards one view', async () => {
  const { world, random, look, viewed } = setup(1_000);
  for (let i = 0; i < 200; i += 1) world.source.stream.roll(random, world.sim.nowMs());
  await look();
  const closed = [...world.source.stream.shards.values()].filter(({ closedAtMs }) => closedAtMs < Infinity);
  for (const { shardId } of closed) await world.read(shardId, '5', true);
  expect(await viewed()).toBe(1_200);
  const grandparents = closed.filter(({ shardId }) => world.source.stream.childrenOf(shardId).every(({ isOpen }) => !isOpen));
  expect(grandparents.length).toBeGreaterThan(5);
  world.calls.length = 0;
  expect(await viewed()).toBe(1_200 - grandparents.length);
  expect(world.calls).toEqual(['streams.read', 'leases.view']);
  await world.sim.advance(30_000);
  expect(await viewed()).toBe(1_200);
});

it('a lineage that a person sends back is read from its first shard on, at the next scan', async () => {
  const { world, random, look, shardsNow } = setup(1);
  for (let i = 0; i < 4; i += 1) world.source.stream.roll(random, world.sim.nowMs());
  await look();
  for (let i = 0; i < 4; i += 1) await world.read(idOf(i), '5', true);
  await world.read(idOf(4), '9');
  expect(await shardsNow()).toEqual([4]);
  const rows = Array.from({ length: 5 }, (_, i) => ({ id: world.unit(idOf(i)), checkpoint: 'TRIM_HORIZON', ended: false }));
  await world.real.leases.reposition(rows);
  expect(await shardsNow()).toEqual([0]);
});

it('who has taken a shard looks again whether its parents are over, because they may have been sent back meanwhile', async () => {
  const { world, random, look, units, shardsNow } = setup(1);
  world.source.stream.roll(random, world.sim.nowMs());
  await look();
  await world.read(idOf(0), '5', true);
  expect(await shardsNow()).toEqual([1]);
  expect(await units.mayBegin(world.mapping.uuid, world.key, idOf(1))).toBe(true);
  await world.real.leases.reposition([{ id: world.unit(idOf(0)), checkpoint: 'TRIM_HORIZON', ended: false }]);
  expect(await units.mayBegin(world.mapping.uuid, world.key, idOf(1))).toBe(false);
  expect(await units.mayBegin(world.mapping.uuid, world.key, 'shardId-of-nobody')).toBe(false);
  expect(await units.mayBegin(world.mapping.uuid, '00000000', idOf(0))).toBe(false);
});

it('every poller remembers a stream it has seen, also one that never looked itself', async () => {
  const { world, look, memory } = setup(1);
  const other = new StreamMemory();
  const units = new StreamUnits({ ...world.store, clock: world.clock, memory: other });
  await units.plan([world.mapping]);
  expect(other.remembers(world.mapping.uuid, world.key)).toBe(false);
  await look();
  await units.plan([world.mapping]);
  expect([other.remembers(world.mapping.uuid, world.key), memory.remembers(world.mapping.uuid, world.key)]).toEqual([true, true]);
  other.forget(world.mapping.uuid);
  expect(other.remembers(world.mapping.uuid, world.key)).toBe(false);
});

it('a wiped store leaves the chore alone, and what is written anew is looked at anew', async () => {
  const { world, random, look, shardsNow } = setup(1);
  world.source.stream.roll(random, world.sim.nowMs());
  await look();
  await world.read(idOf(0), '5', true);
  expect(await shardsNow()).toEqual([1]);
  world.wipe();
  expect(await shardsNow()).toEqual([]);
  await look();
  expect(await shardsNow()).toEqual([0]);
});

it('shards of another stream than the one this configuration names are left to those who name it', async () => {
  const { world, look, shardsNow } = setup(1);
  await look();
  const { uuid, eventSourceArn } = world.mapping;
  expect(await shardsNow([sampleStreamMapping({ uuid, eventSourceArn: `${eventSourceArn}-2` })])).toEqual([]);
  expect(await shardsNow([sampleStreamMapping({ uuid, eventSourceArn: `${eventSourceArn}/consumer/app:1` })])).toEqual([0]);
});
