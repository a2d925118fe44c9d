import { SourceError } from '@wherry/core/source-error';
import { VANISHED_AFTER_MS } from '@wherry/core/stream/lineage';
import { DiscoveryWorld, heldLease } from '@wherry/testkit/discovery-world';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import { EARLIER_KEPT_MS } from './earlier-streams.ts';
import { LOOK_EVERY_MS, StreamDiscovery, type StreamDiscoveryOptions } from './stream-discovery.ts';
import { StreamMemory } from './stream-memory.ts';

const NEVER = new AbortController().signal;

function setup(shards = 2, given: Partial<StreamDiscoveryOptions> = {}) {
  const world = new DiscoveryWorld(shards);
  const random = seededRandom(1);
  const memory = new StreamMemory();
  const poller = (more: Partial<StreamDiscoveryOptions> = {}): StreamDiscovery =>
    new StreamDiscovery({
      surroundings: { clock: world.clock, random, newId: () => '' },
      mapping: world.mapping,
      source: world.source,
      ...world.store,
      memory,
      observe: (event) => void world.events.push(event),
      ...given,
      ...more,
    });
  const look = (discovery: StreamDiscovery): Promise<boolean> => world.finish(discovery.look(NEVER));
  return { world, random, memory, poller, discovery: poller(), look };
}

/** Puts a stream of the same name in the place of this one. */
function createAgain(world: DiscoveryWorld): void {
  world.source.identityNow = { ...world.source.identityNow, createdAtMs: world.sim.nowMs() };
  world.source.stream = new DiscoveryWorld(2).source.stream;
}

const idOf = (number: number): string => `shardId-${String(number).padStart(12, '0')}`;

describe('the first look', () => {
  it('LIF-01 TRIM_HORIZON gives every shard a row at its oldest record', async () => {
    const { world, discovery, look } = setup();
    world.source.stream.split(seededRandom(1), world.sim.nowMs());
    expect(await look(discovery)).toBe(true);
    expect(await world.rows()).toEqual(['TRIM_HORIZON', 'TRIM_HORIZON', 'TRIM_HORIZON', 'TRIM_HORIZON']);
    expect(world.told().map((line) => line.split(':')[0])).toEqual(['found']);
  });

  it('LATEST begins open shards at the time of the look, leaves closed ones out, and begins children at their oldest record', async () => {
    const { world, discovery, look, random, poller } = setup(1);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    world.source.stream.split(random, world.sim.nowMs());
    await world.sim.advance(5_000);
    await look(discovery);
    const at = `AT_TIMESTAMP:${world.sim.nowMs()}`;
    expect(await world.rows()).toEqual(['ended', at, at]);
    expect(world.told()).toEqual(['found: 1, 2']);
    await world.sim.advance(60_000);
    world.source.stream.merge(random, world.sim.nowMs());
    await look(poller());
    expect(await world.rows()).toEqual(['ended', at, at, 'TRIM_HORIZON']);
  });

  it('an empty stream has a register, so that its first shard is a new one', async () => {
    const { world, discovery, look } = setup(0);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    await look(discovery);
    expect(await world.real.streams.streams(world.mapping.uuid)).toHaveLength(1);
    const { stream } = new DiscoveryWorld(1).source;
    world.source.stream = stream;
    await look(discovery);
    expect(await world.rows()).toEqual(['TRIM_HORIZON']);
  });

  it('has one call to the rows and one to the register for 1,000 shards, and nothing to write afterwards', async () => {
    const { world, discovery, look } = setup(1_000);
    await look(discovery);
    expect(world.calls).toEqual(['streams.read', 'leases.view', 'leases.create', 'streams.change']);
    world.calls.length = 0;
    await look(discovery);
    expect(world.calls).toEqual(['streams.read', 'leases.view', 'streams.streams']);
    expect(await world.registered()).toHaveLength(1_000);
  });
});

describe('later looks', () => {
  it('LIF-02 a split and then a merge are found, whoever looks', async () => {
    const { world, discovery, look, random, poller } = setup(2);
    await look(discovery);
    world.source.stream.split(random, world.sim.nowMs());
    await look(poller());
    world.source.stream.merge(random, world.sim.nowMs());
    await look(discovery);
    expect(await world.rows()).toEqual(Array.from({ length: 5 }, () => 'TRIM_HORIZON'));
    expect(world.told()).toEqual(['found: 0, 1', 'found: 2, 3', 'found: 4']);
  });

  it('a listing that fails changes nothing, is told once, and pauses the mapping; access that comes back is told too', async () => {
    const { world, discovery, look, random } = setup();
    await look(discovery);
    world.source.stream.split(random, world.sim.nowMs());
    world.source.beforeAnswer = (call) => {
      if (call === 'listShards') throw new SourceError('accessDenied', 'AccessDeniedException', 'no kinesis:ListShards');
    };
    world.told();
    const before = await world.rows();
    expect([await look(discovery), await look(discovery)]).toEqual([false, false]);
    expect(await world.rows()).toEqual(before);
    expect(discovery.problem).toBe('AccessDeniedException: no kinesis:ListShards');
    world.source.beforeAnswer = () => {};
    expect(await look(discovery)).toBe(true);
    expect(world.told()).toEqual(['problem accessDenied', 'problem accessDenied resolved', 'found: 2, 3']);
    expect(discovery.problem).toBeUndefined();
  });

  it('a row deleted by hand begins again at the oldest record, never at LATEST', async () => {
    const { world, discovery, look } = setup(2);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    await look(discovery);
    await world.read(idOf(0), '17');
    await world.real.leases.remove([world.unit(idOf(0))]);
    await look(discovery);
    expect(await world.row(idOf(0))).toBe('TRIM_HORIZON');
    expect(world.told().at(-1)).toBe('lost: 0');
  });

  it('with onCheckpointLoss: stop it waits for a person, is told once, and the others go on', async () => {
    const { world, discovery, look } = setup(2);
    Object.assign(world.mapping, { onCheckpointLoss: 'stop' });
    await look(discovery);
    await world.read(idOf(0), '17');
    await world.read(idOf(1), '18');
    await world.real.leases.remove([world.unit(idOf(0))]);
    world.told();
    await look(discovery);
    await look(discovery);
    expect(world.told()).toEqual(['stopped: 0']);
    expect(await world.rows()).toEqual([undefined, '18']);
    expect(discovery.problem).toBe(`the checkpoints of ${idOf(0)} are gone (onCheckpointLoss: stop)`);
    await world.real.leases.reposition([{ id: world.unit(idOf(0)), checkpoint: '3', ended: false }]);
    await look(discovery);
    expect([discovery.problem, world.told()]).toEqual([undefined, []]);
  });

  it('a position that nobody can read is told once and left as it is', async () => {
    const { world, discovery, look } = setup(1);
    await look(discovery);
    await world.real.leases.reposition([{ id: world.unit(idOf(0)), checkpoint: 'nonsense', ended: false }]);
    world.told();
    await look(discovery);
    await look(discovery);
    expect(world.told()).toEqual(['damaged: 0']);
    expect(await world.row(idOf(0))).toBe('nonsense');
    expect(discovery.problem).toBe(`the stored positions of ${idOf(0)} cannot be read`);
  });

  it('shards that the stream has dropped leave the store when they are read to their end, and are told when they were not', async () => {
    const { world, discovery, look, random } = setup(2);
    world.source.stream.split(random, world.sim.nowMs());
    world.source.stream.merge(random, world.sim.nowMs());
    await look(discovery);
    const parents = [...world.source.stream.shards.values()]
      .filter(({ closedAtMs }) => closedAtMs < Infinity)
      .map(({ shardId }) => shardId);
    const [unread, ...read] = parents as [string, ...string[]];
    for (const shardId of [...read, ...world.source.stream.list(world.sim.nowMs()).map((shard) => shard.shardId)]) {
      if (shardId !== unread && (await world.row(shardId)) !== 'ended') await world.read(shardId, '99', parents.includes(shardId));
    }
    await world.sim.advance(1);
    world.source.stream.trim(0, world.sim.nowMs());
    world.told();
    for (let turn = 0; turn < 4; turn += 1) {
      await look(discovery);
      await world.sim.advance(VANISHED_AFTER_MS);
    }
    const left = world.source.stream.list(world.sim.nowMs()).map(({ shardId }) => shardId);
    expect(await world.registered()).toEqual(left.toSorted());
    expect(world.told().toSorted()).toEqual(
      [`retired: ${read.map((id) => Number(id.slice(-6))).join(', ')}`, `vanished: ${Number(unread.slice(-6))}`].toSorted(),
    );
    for (const shardId of parents) expect(await world.row(shardId)).toBeUndefined();
  });
});

describe('broken off and repeated', () => {
  it.each([0, 1, 2, 3])(
    'a first look that breaks off after %i writes is completed by the next, at the starting position',
    async (writes) => {
      const { world, discovery, look, poller } = setup(3);
      Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
      world.writesLeft = writes;
      await look(discovery);
      world.writesLeft = Infinity;
      await world.sim.advance(1_000);
      await look(poller({ memory: new StreamMemory() }));
      for (const row of await world.rows()) expect(row).toMatch(/^AT_TIMESTAMP:/);
      expect(await world.registered()).toHaveLength(3);
      expect(world.told().filter((line) => line.startsWith('lost'))).toEqual([]);
    },
  );

  it.each([0, 1])('a later look that breaks off after %i writes makes no new shard look lost', async (writes) => {
    const { world, discovery, look, random } = setup(3);
    await look(discovery);
    for (let i = 0; i < 3; i += 1) await world.read(idOf(i), '5');
    world.source.stream.split(random, world.sim.nowMs());
    world.writesLeft = writes;
    expect(await look(discovery)).toBe(false);
    world.writesLeft = Infinity;
    world.told();
    await look(discovery);
    expect(world.told()).toEqual(['found: 3, 4']);
    expect(await world.rows()).toEqual(['5', '5', '5', 'TRIM_HORIZON', 'TRIM_HORIZON']);
  });

  it('two pollers that look at once do the same thing once', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, poller } = setup(4);
      const random = seededRandom(seed);
      world.source.beforeAnswer = () => world.sim.sleep(Math.floor(random() * 50));
      const [one, other] = [poller(), poller({ memory: new StreamMemory() })];
      for (let turn = 0; turn < 5; turn += 1) {
        await world.finish(Promise.all([one.look(NEVER), other.look(NEVER)]));
        world.source.stream.split(random, world.sim.nowMs());
        world.source.stream.merge(random, world.sim.nowMs());
      }
      await world.finish(one.look(NEVER));
      expect(await world.rows()).toEqual([...world.source.stream.shards.keys()].map(() => 'TRIM_HORIZON'));
      expect(await world.registered()).toEqual([...world.source.stream.shards.keys()]);
      expect(world.told().filter((line) => !line.startsWith('found'))).toEqual([]);
    }
  });

  it('many who ask while a look is under way share one that begins afterwards', async () => {
    const { world, discovery } = setup(2);
    world.source.beforeAnswer = () => world.sim.sleep(10);
    const first = discovery.look(NEVER);
    await world.sim.advance(15);
    const others = Array.from({ length: 50 }, () => discovery.look(NEVER));
    expect(await world.finish(Promise.all([first, ...others]))).toEqual(Array.from({ length: 51 }, () => true));
    expect(world.source.listings).toBe(2);
  });
});

describe('a wiped store', () => {
  it('is noticed by a poller that has read the stream: from the oldest record instead of LATEST', async () => {
    const { world, discovery, look, poller } = setup(2);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    await look(discovery);
    world.wipe();
    world.told();
    await look(poller());
    expect(await world.rows()).toEqual(['TRIM_HORIZON', 'TRIM_HORIZON']);
    expect(world.told()).toEqual(['lost: 0, 1']);
  });

  it('with onCheckpointLoss: stop everything waits', async () => {
    const { world, discovery, look } = setup(2);
    Object.assign(world.mapping, { onCheckpointLoss: 'stop' });
    await look(discovery);
    world.wipe();
    await look(discovery);
    expect(await world.rows()).toEqual([undefined, undefined]);
    expect(discovery.problem).toMatch(/are gone/);
  });

  it('to a poller that starts afterwards the mapping is new', async () => {
    const { world, discovery, look, poller } = setup(1);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    await look(discovery);
    world.wipe();
    await look(poller({ memory: new StreamMemory() }));
    expect(await world.row(idOf(0))).toBe(`AT_TIMESTAMP:${world.sim.nowMs()}`);
  });

  it('with the register alone gone, rows show that the mapping has been read', async () => {
    const { world, discovery, look, poller } = setup(2);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    await look(discovery);
    await world.read(idOf(0), '7');
    await world.real.leases.remove([world.unit(idOf(1))]);
    await world.real.streams.remove(world.mapping.uuid, world.source.identityNow);
    await look(poller({ memory: new StreamMemory() }));
    expect(await world.rows()).toEqual(['7', 'TRIM_HORIZON']);
  });
});

describe('another stream', () => {
  it('a stream that was created again is read from its oldest record, and what the earlier one left goes later', async () => {
    const { world, discovery, look } = setup(2);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' } });
    await look(discovery);
    await world.read(idOf(0), '7');
    const earlier = [world.unit(idOf(0)), world.unit(idOf(1))];
    await world.sim.advance(1_000);
    createAgain(world);
    await look(discovery);
    expect(await world.rows()).toEqual(['TRIM_HORIZON', 'TRIM_HORIZON']);
    for (let passedMs = 0; passedMs < EARLIER_KEPT_MS; passedMs += LOOK_EVERY_MS) {
      expect(await world.real.streams.streams(world.mapping.uuid)).toHaveLength(2);
      await look(discovery);
      await world.sim.advance(LOOK_EVERY_MS);
    }
    await look(discovery);
    expect(await world.real.streams.streams(world.mapping.uuid)).toEqual([world.source.identityNow]);
    expect((await world.real.leases.view(earlier)).map(({ epoch }) => epoch)).toEqual([0, 0]);
  });

  it('nothing of the earlier stream goes while somebody holds one of its shards', async () => {
    const { world, discovery, look } = setup(1);
    await look(discovery);
    const held = world.unit(idOf(0));
    await world.real.leases.acquire(held, 'slow', 10 * EARLIER_KEPT_MS);
    await world.sim.advance(1_000);
    createAgain(world);
    for (let turn = 0; turn < 4; turn += 1) {
      await look(discovery);
      await world.sim.advance(EARLIER_KEPT_MS);
    }
    expect(await world.real.streams.streams(world.mapping.uuid)).toHaveLength(2);
    await world.real.leases.release(held, 'slow', 1);
    await look(discovery);
    expect(await world.real.streams.streams(world.mapping.uuid)).toHaveLength(1);
  });

  it('a stream that a mapping comes back to goes on where it was, with shards found meanwhile as new ones', async () => {
    const { world, discovery, look } = setup(1);
    Object.assign(world.mapping, { startingPosition: { kind: 'LATEST' }, onCheckpointLoss: 'stop' });
    const { identityNow, stream } = world.source;
    await look(discovery);
    await world.read(idOf(0), '7');
    await world.sim.advance(1_000);
    createAgain(world);
    await look(discovery);
    Object.assign(world.source, { identityNow, stream });
    stream.split(seededRandom(1), world.sim.nowMs());
    await look(discovery);
    expect(await world.rows()).toEqual(['7', 'TRIM_HORIZON', 'TRIM_HORIZON']);
    expect(discovery.problem).toBeUndefined();
  });
});

describe('the chore', () => {
  it('looks at once, then from time to time, sooner after news, and stops when its lease is yielded', async () => {
    const { world, discovery, random } = setup(1);
    const lease = heldLease('discover');
    const ended = discovery.run(lease, NEVER);
    await world.sim.advance(10 * LOOK_EVERY_MS);
    expect(world.source.listings).toBeGreaterThanOrEqual(10);
    expect(world.source.listings).toBeLessThanOrEqual(13);
    world.source.stream.split(random, world.sim.nowMs());
    await world.sim.advance(1.2 * LOOK_EVERY_MS);
    expect(await world.registered()).toHaveLength(3);
    lease.yielding.abort();
    await world.finish(ended);
    const { listings } = world.source;
    await world.sim.advance(10 * LOOK_EVERY_MS);
    expect(world.source.listings).toBe(listings);
  });

  it('writes nothing once its lease is not valid any more', async () => {
    const { world, discovery } = setup(1);
    const lease = heldLease('discover');
    world.source.beforeAnswer = (call) => {
      if (call === 'listShards') lease.isGood = false;
    };
    const ended = discovery.run(lease, NEVER);
    await world.sim.advance(5 * LOOK_EVERY_MS);
    lease.yielding.abort();
    await world.finish(ended);
    expect(await world.registered()).toEqual([]);
    expect(world.calls).toEqual([]);
  });

  it('LIF-09 a source that is away is asked less and less often, and found again', async () => {
    const { world, discovery } = setup(1);
    let asked = 0;
    world.source.beforeAnswer = () => {
      asked += 1;
      throw new SourceError('notFound', 'ResourceNotFoundException', 'no such stream');
    };
    const lease = heldLease('discover');
    const ended = discovery.run(lease, NEVER);
    await world.sim.advance(1_200_000);
    expect(asked).toBeLessThan(80);
    world.source.beforeAnswer = () => {};
    await world.sim.advance(120_000);
    expect(await world.registered()).toHaveLength(1);
    lease.yielding.abort();
    await world.finish(ended);
  });
});
