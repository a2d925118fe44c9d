import { discoveryUnitId } from '@wherry/core/lease-unit';
import { SourceError } from '@wherry/core/source-error';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { describe, expect, it } from 'vitest';
import { type BenchPoller, StreamFleetBench } from './stream-fleet-bench.ts';

/** `Creating`, `Enabled` and so on, as they were told. */
function statesOf(poller: BenchPoller): string[] {
  return poller.events.flatMap((event) => (event.type === 'mappingState' ? [`${event.state} (${event.reason})`] : []));
}

function leasesOf(poller: BenchPoller): string[] {
  return poller.events.flatMap((event) => (event.type === 'lease' && event.unit.startsWith('shard-') ? [event.event] : []));
}

describe('a fleet on a stream', () => {
  it.each(['kinesis', 'dynamodb'] as const)(
    'LIF-01 LIF-02 %s: reads everything once, parents before children, through splits and merges',
    async (kind) => {
      const bench = new StreamFleetBench({ kind, shards: 4 });
      bench.put(50);
      for (let i = 0; i < 3; i += 1) bench.start();
      for (let turn = 0; turn < 6; turn += 1) {
        await bench.sim.advance(7_000);
        bench.put(40);
        if (turn % 2 === 0) bench.stream.split(turn);
        else bench.stream.merge(turn);
        bench.put(40);
      }
      await bench.untilAllDelivered();
      expect(bench.repeated).toBe(0);
      await bench.sim.advance(120_000);
      const here = bench.shardsHere();
      expect(here.flat()).toHaveLength(4);
      expect(Math.max(...here.map((shards) => shards.length))).toBeLessThanOrEqual(2);
      const { shards, slotsDesired } = bench.pollers[0]!.fleet.status().mappings[0]!;
      expect([shards?.readable, shards?.held, slotsDesired]).toEqual([4, 4, 0]);
    },
  );

  it('LATEST leaves out what was there before, and nothing that comes afterwards', async () => {
    const bench = new StreamFleetBench({ mapping: { startingPosition: { kind: 'LATEST' } } });
    bench.put(20);
    bench.start();
    await bench.sim.advance(5_000);
    bench.put(30);
    bench.stream.split(0);
    bench.put(30);
    await bench.until(() => bench.delivered.length === 60);
    expect(bench.delivered.some(({ data }) => data === 'record-20')).toBe(false);
  });

  it('a poller that drains hands its shards over without a repeat', async () => {
    const bench = new StreamFleetBench({ shards: 6 });
    const [first] = [bench.start(), bench.start()];
    for (let turn = 0; turn < 10; turn += 1) {
      bench.put(30);
      await bench.sim.advance(1_000);
      if (turn === 5) first.drain.abort();
    }
    await bench.untilAllDelivered();
    expect([bench.repeated, first.isStopped, bench.shardsHere()[1]?.length]).toEqual([0, true, 6]);
  });

  it('a killed poller’s shards are taken over, and its last batches come again', async () => {
    const bench = new StreamFleetBench({ shards: 4, durationMs: 400 });
    const [first] = [bench.start(), bench.start()];
    await bench.sim.advance(10_000);
    bench.put(40);
    await bench.sim.advance(1_200);
    first.kill.abort();
    bench.put(40);
    await bench.untilAllDelivered(14_000);
  });

  it('looks at 300 shards with one call a scan and poller', async () => {
    const bench = new StreamFleetBench({ shards: 300 });
    for (let i = 0; i < 3; i += 1) bench.start();
    await bench.until(() => bench.shardsHere().flat().length === 300);
    await bench.sim.advance(60_000);
    for (const { length } of bench.shardsHere()) expect(length).toBeLessThanOrEqual(101);
    bench.storeCalls.length = 0;
    await bench.sim.advance(20_000);
    const count = (name: string): number => bench.storeCalls.filter((call) => call === name).length;
    expect(count('leases.view')).toBeLessThanOrEqual(2 * 3 * 22);
    expect(count('streams.read')).toBeLessThanOrEqual(3 * 24);
    expect(count('leases.checkpoint')).toBe(0);
  });
});

describe('what goes wrong', () => {
  it('a wiped store makes nobody skip a record: everything there is comes again', async () => {
    const bench = new StreamFleetBench({ mapping: { startingPosition: { kind: 'LATEST' } } });
    const poller = bench.start();
    await bench.sim.advance(5_000);
    bench.put(20);
    await bench.untilAllDelivered();
    bench.store = createMemoryCoordination(bench.clock);
    bench.put(20);
    await bench.untilAllDelivered();
    expect(poller.events.filter((event) => event.type === 'shards').map(({ change }) => change)).toEqual(['found', 'lost']);
  });

  it('a stream that was created again is read from its beginning, while the old one’s shards are let go', async () => {
    const bench = new StreamFleetBench({ mapping: { startingPosition: { kind: 'LATEST' } } });
    bench.start();
    await bench.sim.advance(5_000);
    bench.put(20);
    await bench.untilAllDelivered();
    bench.stream = bench.createStream(3);
    bench.put(20);
    await bench.untilAllDelivered();
    await bench.sim.advance(10_000);
    expect([bench.repeated, bench.shardsHere()[0]?.length]).toEqual([0, 3]);
  });

  it('a loop that crashes begins again at its checkpoint, under the same lease', async () => {
    let reads = 0;
    const bench = new StreamFleetBench({
      shards: 1,
      source: (source) => ({
        identity: (signal) => source.identity(signal),
        listShards: (signal) => source.listShards(signal),
        close: () => source.close(),
        openReader: (shardId, position) => {
          const reader = source.openReader(shardId, position);
          return {
            read: (most, signal) => {
              if ((reads += 1) === 8) throw new TypeError('a bug');
              return reader.read(most, signal);
            },
          };
        },
      }),
    });
    const poller = bench.start();
    for (let turn = 0; turn < 10; turn += 1) {
      bench.put(5);
      await bench.sim.advance(1_000);
    }
    await bench.untilAllDelivered();
    expect(poller.events.filter(({ type }) => type === 'crashed')).toHaveLength(1);
    expect([bench.repeated, leasesOf(poller)]).toEqual([0, ['acquired']]);
  });

  it('a row that is deleted by hand is not polled until discovery has decided, and nobody spins on it', async () => {
    const bench = new StreamFleetBench({ shards: 1, mapping: { onCheckpointLoss: 'stop' } });
    const poller = bench.start();
    bench.put(5);
    await bench.untilAllDelivered();
    poller.drain.abort();
    await bench.until(() => poller.isStopped);
    const [register] = await bench.store.streams.read([{ id: bench.mapping.uuid }]);
    expect(register).toBeDefined();
    const shardUnit = poller.events.flatMap((event) => (event.type === 'lease' && event.unit.startsWith('shard-') ? [event.unit] : []))[0]!;
    await bench.store.leases.remove([shardUnit]);
    const next = bench.start();
    bench.put(5);
    await bench.sim.advance(60_000);
    expect([leasesOf(next), bench.delivered.length]).toEqual([[], 5]);
    expect(next.fleet.status().mappings[0]?.problem).toMatch(/are gone/);
    await bench.store.leases.reposition([{ id: shardUnit, checkpoint: 'TRIM_HORIZON', ended: false }]);
    await bench.until(() => bench.delivered.length === 15);
  });
});

describe('reload', () => {
  it('a changed mapping finishes its batches and goes on where they ended, under the same leases', async () => {
    const bench = new StreamFleetBench({ shards: 3, durationMs: 700 });
    const poller = bench.start();
    for (let turn = 1; turn <= 12; turn += 1) {
      bench.put(20);
      if (turn % 3 === 0) poller.fleet.reload(bench.config({ batchSize: turn }));
      await bench.sim.advance(900);
    }
    await bench.untilAllDelivered();
    expect([bench.repeated, leasesOf(poller)]).toEqual([0, ['acquired', 'acquired', 'acquired']]);
    expect(statesOf(poller).slice(-2)).toEqual(['Updating (User action)', 'Enabled (User action)']);
  });

  it('a changed ParallelizationFactor takes effect after what is known of each lane is done: nothing is repeated', async () => {
    const bench = new StreamFleetBench({ shards: 3, durationMs: 700, mapping: { parallelizationFactor: 4, batchSize: 5 } });
    const poller = bench.start();
    for (let turn = 1; turn <= 12; turn += 1) {
      bench.put(20);
      if (turn % 3 === 0) poller.fleet.reload(bench.config({ batchSize: 5, parallelizationFactor: 1 + (turn % 10) }));
      await bench.sim.advance(900);
    }
    await bench.untilAllDelivered();
    expect([bench.repeated, leasesOf(poller)]).toEqual([0, ['acquired', 'acquired', 'acquired']]);
  });

  it('LIF-07 disabled, nothing is delivered; enabled, it goes on at its checkpoint', async () => {
    const bench = new StreamFleetBench({ mapping: { startingPosition: { kind: 'LATEST' } } });
    const poller = bench.start();
    await bench.sim.advance(5_000);
    bench.put(10);
    await bench.untilAllDelivered();
    poller.fleet.reload(bench.config({ enabled: false }));
    await bench.sim.advance(5_000);
    bench.put(10);
    await bench.sim.advance(30_000);
    expect(bench.delivered).toHaveLength(10);
    expect(poller.fleet.status().held).toEqual([]);
    poller.fleet.reload(bench.config());
    await bench.untilAllDelivered();
    expect(bench.repeated).toBe(0);
    expect(statesOf(poller)).toEqual(
      ['Creating', 'Enabled', 'Disabling', 'Disabled', 'Enabling', 'Enabled'].map((state) => `${state} (User action)`),
    );
  });

  it('a removed mapping leaves nothing behind once no poller has known it for a while, and begins anew when it comes back', async () => {
    const bench = new StreamFleetBench({ mapping: { startingPosition: { kind: 'LATEST' } } });
    const [poller, other] = [bench.start(), bench.start()];
    await bench.sim.advance(5_000);
    bench.put(10);
    await bench.untilAllDelivered();
    await bench.store.pauses.pause(bench.mapping.uuid, 'ann', 'test', Infinity);
    poller.fleet.reload({ ...bench.config(), mappings: new Map() });
    await bench.sim.advance(3_600_000);
    expect(await bench.store.streams.streams(bench.mapping.uuid)).toHaveLength(1);
    other.fleet.reload({ ...bench.config(), mappings: new Map() });
    await bench.sim.advance(3_600_000);
    expect(await bench.store.streams.streams(bench.mapping.uuid)).toEqual([]);
    expect((await bench.store.leases.view([discoveryUnitId(bench.mapping.uuid)]))[0]?.epoch).toBe(0);
    expect((await bench.store.pauses.pauses()).size).toBe(0);
    bench.put(5);
    poller.fleet.reload(bench.config());
    await bench.sim.advance(5_000);
    bench.put(10);
    await bench.until(() => bench.delivered.length === 20);
    await bench.sim.advance(10_000);
    expect(bench.delivered).toHaveLength(20);
  });
});

describe('pauses', () => {
  it('a paused mapping finishes its batches, gives its leases back, and goes on where it was', async () => {
    const bench = new StreamFleetBench();
    const poller = bench.start();
    bench.put(10);
    await bench.untilAllDelivered();
    await bench.store.pauses.pause(bench.mapping.uuid, 'ann', 'deploy', 60_000);
    await bench.sim.advance(3_000);
    bench.put(10);
    await bench.sim.advance(20_000);
    const { held, mappings } = poller.fleet.status();
    expect([held, bench.delivered.length]).toEqual([[], 10]);
    expect(mappings[0]).toMatchObject({
      state: 'Enabled',
      paused: { by: 'ann', reason: 'deploy' },
      shards: { known: 2, ended: 0, readable: 0, held: 0, here: [] },
    });
    expect(mappings[0]?.paused?.leftMs).toBeLessThan(40_000);
    await bench.untilAllDelivered();
    expect(bench.repeated).toBe(0);
    expect(poller.fleet.status().mappings[0]?.paused).toBeNull();
    expect(poller.events.filter(({ type }) => type === 'paused' || type === 'resumed')).toEqual([
      { type: 'paused', mapping: 'clicks', by: 'ann', reason: 'deploy' },
      { type: 'resumed', mapping: 'clicks' },
    ]);
  });

  it('a pause without an end says so, and ends when somebody resumes', async () => {
    const bench = new StreamFleetBench();
    await bench.store.pauses.pause(bench.mapping.uuid, 'ann', '', Infinity);
    const poller = bench.start();
    bench.put(10);
    await bench.sim.advance(120_000);
    expect([bench.delivered, poller.fleet.status().mappings[0]?.paused?.leftMs]).toEqual([[], null]);
    await bench.store.pauses.resume(bench.mapping.uuid);
    await bench.untilAllDelivered();
  });
});

describe('states', () => {
  it('STA-01 a stream mapping created disabled is Creating and then Disabled', async () => {
    const bench = new StreamFleetBench();
    const poller = bench.start(bench.config({ enabled: false }));
    expect(poller.fleet.status().mappings[0]).toMatchObject({ state: 'Creating' });
    await bench.sim.advance(5_000);
    expect(statesOf(poller)).toEqual(['Creating (User action)', 'Disabled (User action)']);
  });

  it('LIF-09 a stream that cannot be reached says so, stays Enabled, and goes on when it is there again', async () => {
    let isForbidden = false;
    const bench = new StreamFleetBench({
      shards: 1,
      source: (source) => ({
        identity: (signal) => source.identity(signal),
        listShards: (signal) => source.listShards(signal),
        close: () => source.close(),
        openReader: (shardId, position) => {
          const reader = source.openReader(shardId, position);
          return {
            read: (most, signal) => {
              if (isForbidden) throw new SourceError('accessDenied', 'AccessDeniedException', 'no kinesis:GetRecords');
              return reader.read(most, signal);
            },
          };
        },
      }),
    });
    const poller = bench.start();
    bench.put(5);
    await bench.untilAllDelivered();
    isForbidden = true;
    bench.put(5);
    await bench.sim.advance(60_000);
    expect(poller.fleet.status().mappings[0]).toMatchObject({
      state: 'Enabled',
      problem: expect.stringContaining('no kinesis:GetRecords') as string,
    });
    isForbidden = false;
    await bench.untilAllDelivered(600_000);
    expect(bench.repeated).toBe(0);
    expect(poller.fleet.status().mappings[0]).toMatchObject({ problem: null });
  });

  it('STA-04 a deleted mapping is Deleting, and then gone', async () => {
    const bench = new StreamFleetBench();
    const poller = bench.start();
    await bench.sim.advance(5_000);
    poller.fleet.reload({ ...bench.config(), mappings: new Map() });
    expect(statesOf(poller).at(-1)).toBe('Deleting (User action)');
    expect(poller.fleet.status().mappings).toEqual([]);
  });
});
