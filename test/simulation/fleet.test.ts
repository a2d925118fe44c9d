import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { Invoker, InvokeRequest } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { Fleet } from '@wherry/engine/fleet';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { FakeQueue } from '@wherry/testkit/fake-queue';
import { sampleConfig, sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';

const INVOCATION_MS = 500;
const other = { name: 'billing', uuid: '22222222-2222-5222-8222-222222222222' };

interface Bench {
  readonly sim: SimClock;
  readonly queue: FakeQueue;
  readonly fleet: Fleet;
  readonly drain: AbortController;
  readonly kill: AbortController;
  readonly events: EngineEvent[];
  readonly invoked: { readonly url: string; readonly records: number; readonly atMs: number }[];
  readonly closedInvokers: string[];
  readonly receives: number[];
  readonly store: ReturnType<typeof createMemoryCoordination>;
  isStopped: boolean;
}

interface BenchOptions {
  readonly config?: WherryConfig;
  readonly createSource?: (mapping: SqsMapping, queue: QueueSource) => QueueSource;
}

function noStream(mapping: StreamMapping): never {
  throw new Error(`${mapping.name}: there are queues alone here`);
}

function setup({ config = sampleConfig(), createSource = (_, queue) => queue }: BenchOptions = {}): Bench {
  const sim = new SimClock();
  const clock = sim.clock();
  const queue = new FakeQueue({ clock, visibilityTimeoutSeconds: 30 });
  const drain = new AbortController();
  const kill = new AbortController();
  let ids = 0;
  const records: Pick<Bench, 'events' | 'invoked' | 'closedInvokers' | 'receives'> = {
    events: [],
    invoked: [],
    closedInvokers: [],
    receives: [],
  };
  const counted: QueueSource = {
    receive: (request) => {
      records.receives.push(sim.nowMs());
      return queue.receive(request);
    },
    delete: (messages) => queue.delete(messages),
    changeVisibility: (messages, seconds) => queue.changeVisibility(messages, seconds),
    attributes: () => queue.attributes(),
    refresh: () => queue.refresh(),
    close: () => {},
  };
  const store = createMemoryCoordination(clock);
  const fleet = new Fleet({
    surroundings: { clock, random: seededRandom(7), newId: () => `id-${ids++}` },
    stop: { drain: drain.signal, kill: kill.signal },
    coordination: store,
    config,
    poller: { token: 'poller-a', version: '1', adminUrl: 'http://127.0.0.1:9401' },
    createSource: (mapping) => createSource(mapping, counted),
    createStreamSource: noStream,
    createDestination: () => undefined,
    createInvoker: (fn) => invokerOf(fn, sim, records),
    observe: (event) => records.events.push(event),
  });
  const bench: Bench = { sim, queue, fleet, drain, kill, store, ...records, isStopped: false };
  void fleet.run().then(() => (bench.isStopped = true));
  return bench;
}

function invokerOf(fn: FunctionDefinition, sim: SimClock, records: Pick<Bench, 'invoked' | 'closedInvokers'>): Invoker {
  const url = fn.target.kind === 'http' ? fn.target.url : '';
  return {
    invoke: async (request: InvokeRequest) => {
      records.invoked.push({ url, records: request.delivery.records, atMs: sim.nowMs() });
      await sim.sleep(INVOCATION_MS);
      return { kind: 'success', body: new TextEncoder().encode('null'), durationMs: INVOCATION_MS };
    },
    close: async () => void records.closedInvokers.push(url),
  };
}

function send(bench: Bench, count: number): void {
  for (let number = 0; number < count; number += 1) bench.queue.send({ body: `${bench.sim.nowMs()}-${number}` });
}

function states(bench: Bench): string[] {
  return bench.events.flatMap((event) => (event.type === 'mappingState' ? [event.state] : []));
}

/** A long poll that was running when the fleet was told to stop fetching is let return. */
const LONG_POLL_MS = 21_000;

describe('the fleet', () => {
  it('delivers and deletes what is sent', async () => {
    const bench = setup();
    send(bench, 25);
    await bench.sim.advance(10_000);
    expect(bench.invoked.reduce((sum, invocation) => sum + invocation.records, 0)).toBe(25);
    expect(await bench.queue.attributes()).toMatchObject({ approximateNumberOfMessages: 0, approximateNumberOfMessagesNotVisible: 0 });
  });

  it('is ready after its first claim scan, and not while it drains', async () => {
    const bench = setup();
    expect(bench.fleet.isReady()).toBe(false);
    await bench.sim.advance(1_200);
    expect(bench.fleet.isReady()).toBe(true);
    bench.drain.abort();
    expect(bench.fleet.isReady()).toBe(false);
  });

  it('stops only when the batch in flight is settled, and leaves no lease and no member behind', async () => {
    const bench = setup();
    await bench.sim.advance(2_000);
    send(bench, 3);
    await bench.sim.advance(INVOCATION_MS / 2);
    bench.drain.abort();
    await bench.sim.advance(10);
    expect(bench.isStopped).toBe(false);
    await bench.sim.advance(LONG_POLL_MS);
    expect(bench.isStopped).toBe(true);
    expect(await bench.queue.attributes()).toMatchObject({ approximateNumberOfMessages: 0, approximateNumberOfMessagesNotVisible: 0 });
    expect(await bench.store.members.members()).toEqual([]);
    expect(bench.closedInvokers).toHaveLength(1);
  });

  it('shows itself, its mappings and leases as plain data', async () => {
    const bench = setup();
    await bench.sim.advance(6_000);
    const status = JSON.parse(JSON.stringify(bench.fleet.status()));
    expect(status).toMatchObject({
      fleet: 't1',
      poller: 'poller-a',
      ready: true,
      storeUp: true,
      draining: false,
      pollers: [{ token: 'poller-a', version: '1', leases: 5 }],
      mappings: [{ name: 'orders', state: 'Enabled', functionName: 'orders', slotsDesired: 5, slotsHeld: 5, slotsHere: 5, problem: null }],
    });
    expect(status.leases).toHaveLength(5);
    expect(status.leases[0]).toMatchObject({ mapping: 'orders', owner: 'poller-a', live: true, epoch: 1 });
    expect(status.held).toHaveLength(5);
  });

  it('has no slots for a function whose ReservedConcurrentExecutions is 0', async () => {
    const bench = setup({ config: sampleConfig({ functions: [sampleFunction({ reservedConcurrentExecutions: 0 })] }) });
    send(bench, 3);
    await bench.sim.advance(5_000);
    expect(bench.receives).toEqual([]);
    expect(bench.fleet.status().mappings[0]).toMatchObject({ state: 'Enabled', slotsDesired: 0 });
  });

  it('leaves the slots of a queue that it cannot reach to a poller that may do better, and tries again', async () => {
    const bench = setup();
    bench.queue.receiveFault = new SourceError('unavailable', 'TimeoutError', 'connect timed out');
    await bench.sim.advance(5_000);
    const info = (await bench.store.members.members())[0]!.info;
    await bench.store.members.heartbeat('poller-b', info, 600_000);
    const lost = async (): Promise<number> =>
      (await bench.store.leases.view(bench.fleet.status().leases.map(({ id }) => id))).filter(({ live }) => !live).length;
    expect(await lost()).toBe(0);
    await bench.sim.advance(62_000);
    expect(await lost()).toBeGreaterThan(0);
    bench.queue.receiveFault = undefined;
    send(bench, 5);
    await bench.sim.advance(120_000);
    expect(await lost()).toBe(0);
    expect(bench.invoked.length).toBeGreaterThan(0);
  });

  it('restarts a mapping whose loop crashes and leaves the others alone', async () => {
    let failures = 2;
    const crashing = (mapping: SqsMapping, queue: QueueSource): QueueSource => {
      if (mapping.name === 'orders' && failures-- > 0) throw new Error('client cannot be made');
      return queue;
    };
    const config = sampleConfig({
      mappings: [sampleMapping({ maximumConcurrency: 1 }), sampleMapping({ ...other, maximumConcurrency: 1 })],
    });
    const bench = setup({ config, createSource: crashing });
    await bench.sim.advance(1_200);
    expect(bench.events.filter((event) => event.type === 'crashed')).toMatchObject([{ mapping: 'orders' }]);
    expect(bench.fleet.status().mappings).toMatchObject([{ slotsHere: 0 }, { slotsHere: 1 }]);
    await bench.sim.advance(10_000);
    expect(bench.fleet.status().mappings).toMatchObject([{ slotsHere: 1 }, { slotsHere: 1 }]);
  });
});

describe('mapping states', () => {
  it('STA-01: a queue mapping created disabled is Disabled at once, an enabled one is Creating and then Enabled', async () => {
    const disabled = setup({ config: sampleConfig({ mappings: [sampleMapping({ enabled: false })] }) });
    expect(states(disabled)).toEqual(['Disabled']);
    await disabled.sim.advance(5_000);
    expect(states(disabled)).toEqual(['Disabled']);
    expect(disabled.receives).toEqual([]);
    const enabled = setup();
    expect(states(enabled)).toEqual(['Creating']);
    await enabled.sim.advance(5_000);
    expect(states(enabled)).toEqual(['Creating', 'Enabled']);
  });

  it('STA-03: a queue mapping never has a LastProcessingResult', async () => {
    const bench = setup();
    send(bench, 1);
    await bench.sim.advance(5_000);
    expect(JSON.stringify(bench.fleet.status())).not.toMatch(/lastProcessingResult/i);
  });

  it('STA-04: a deleted mapping is Deleting, and then gone', async () => {
    const bench = setup({ config: sampleConfig({ mappings: [sampleMapping(), sampleMapping(other)] }) });
    await bench.sim.advance(2_000);
    bench.fleet.reload(sampleConfig({ hash: 'later' }));
    expect(bench.events.at(-1)).toMatchObject({ type: 'mappingState', mapping: 'billing', state: 'Deleting', reason: 'USER_INITIATED' });
    expect(bench.fleet.status().mappings.map((mapping) => mapping.name)).toEqual(['orders']);
    await bench.sim.advance(LONG_POLL_MS);
    const owners = await bench.store.leases.view([`sqs-${other.uuid}-0`]);
    expect(owners[0]).toMatchObject({ owner: '', live: false });
  });

  it('SQS-12: a mapping disabled during an invocation finishes it, deletes and receives no more', async () => {
    const bench = setup({ config: sampleConfig({ mappings: [sampleMapping({ waitTimeSeconds: 1 })] }) });
    await bench.sim.advance(3_000);
    send(bench, 1);
    await bench.sim.advance(INVOCATION_MS / 2);
    expect(bench.invoked).toHaveLength(1);
    bench.fleet.reload(sampleConfig({ hash: 'later', mappings: [sampleMapping({ waitTimeSeconds: 1, enabled: false })] }));
    expect(bench.fleet.status().mappings).toMatchObject([{ state: 'Disabling', inFlight: 1 }]);
    const receives = bench.receives.length;
    await bench.sim.advance(5_000);
    expect(bench.receives).toHaveLength(receives);
    expect(states(bench).slice(-2)).toEqual(['Disabling', 'Disabled']);
    expect(bench.fleet.status().mappings).toMatchObject([{ state: 'Disabled', slotsHere: 0, inFlight: 0, bufferedBytes: 0 }]);
    expect(await bench.queue.attributes()).toMatchObject({ approximateNumberOfMessages: 0, approximateNumberOfMessagesNotVisible: 0 });
    bench.fleet.reload(sampleConfig({ hash: 'again', mappings: [sampleMapping({ waitTimeSeconds: 1 })] }));
    await bench.sim.advance(5_000);
    expect(states(bench).slice(-2)).toEqual(['Enabling', 'Enabled']);
    send(bench, 1);
    await bench.sim.advance(5_000);
    expect(bench.invoked).toHaveLength(2);
  });

  it('a paused mapping finishes its batch, receives no more, and goes on when somebody resumes', async () => {
    const bench = setup({ config: sampleConfig({ mappings: [sampleMapping({ waitTimeSeconds: 1 })] }) });
    await bench.sim.advance(3_000);
    send(bench, 1);
    await bench.sim.advance(INVOCATION_MS / 2);
    await bench.store.pauses.pause(sampleMapping().uuid, 'ann', 'deploy', Infinity);
    await bench.sim.advance(5_000);
    expect(await bench.queue.attributes()).toMatchObject({ approximateNumberOfMessages: 0, approximateNumberOfMessagesNotVisible: 0 });
    send(bench, 1);
    const receives = bench.receives.length;
    await bench.sim.advance(60_000);
    expect([bench.receives.length, bench.invoked.length]).toEqual([receives, 1]);
    const { held, mappings } = bench.fleet.status();
    expect(held).toEqual([]);
    expect(mappings).toMatchObject([
      { state: 'Enabled', paused: { by: 'ann', reason: 'deploy', leftMs: null }, slotsDesired: 0, slotsHere: 0 },
    ]);
    await bench.store.pauses.resume(sampleMapping().uuid);
    await bench.sim.advance(5_000);
    expect(bench.invoked).toHaveLength(2);
    expect(bench.events.filter(({ type }) => type === 'paused' || type === 'resumed').map(({ type }) => type)).toEqual([
      'paused',
      'resumed',
    ]);
  });

  it('a changed mapping finishes its batch with the old values and goes on with the new ones', async () => {
    const bench = setup({ config: sampleConfig({ mappings: [sampleMapping({ waitTimeSeconds: 1, maximumConcurrency: 1 })] }) });
    await bench.sim.advance(3_000);
    send(bench, 8);
    await bench.sim.advance(INVOCATION_MS / 2);
    const changed = sampleMapping({ waitTimeSeconds: 1, maximumConcurrency: 1, batchSize: 2 });
    bench.fleet.reload(sampleConfig({ hash: 'later', mappings: [changed] }));
    expect(states(bench).at(-1)).toBe('Updating');
    const before = bench.invoked.length;
    await bench.sim.advance(5_000);
    expect(states(bench).at(-1)).toBe('Enabled');
    send(bench, 8);
    await bench.sim.advance(20_000);
    expect(bench.invoked.slice(before).every((invocation) => invocation.records <= 2)).toBe(true);
    expect(await bench.queue.attributes()).toMatchObject({ approximateNumberOfMessages: 0, approximateNumberOfMessagesNotVisible: 0 });
  });

  it('a changed target serves the next batch, and the old one is closed when its last batch has ended', async () => {
    const bench = setup({ config: sampleConfig({ mappings: [sampleMapping({ waitTimeSeconds: 1, maximumConcurrency: 1 })] }) });
    await bench.sim.advance(3_000);
    send(bench, 1);
    await bench.sim.advance(INVOCATION_MS / 2);
    bench.fleet.reload(
      sampleConfig({
        hash: 'later',
        functions: [sampleFunction({ target: { kind: 'http', url: 'http://127.0.0.1/new', headers: {} } })],
        mappings: [sampleMapping({ waitTimeSeconds: 1, maximumConcurrency: 1 })],
      }),
    );
    expect(bench.closedInvokers).toEqual([]);
    await bench.sim.advance(5_000);
    expect(bench.closedInvokers).toEqual(['http://127.0.0.1:9000/orders']);
    send(bench, 1);
    await bench.sim.advance(5_000);
    expect(bench.invoked.map((invocation) => invocation.url)).toEqual(['http://127.0.0.1:9000/orders', 'http://127.0.0.1/new']);
  });

  it('an unchanged mapping does not notice a reload', async () => {
    const bench = setup();
    await bench.sim.advance(3_000);
    const leases = bench.fleet.status().held;
    bench.fleet.reload(sampleConfig({ hash: 'later', mappings: [sampleMapping(), sampleMapping(other)] }));
    await bench.sim.advance(3_000);
    expect(bench.fleet.status().held).toEqual(expect.arrayContaining([...leases]));
    expect(states(bench)).toEqual(['Creating', 'Enabled', 'Creating', 'Enabled']);
  });

  it('removes what a mapping left behind when no poller has known it for a while, whoever saw it go', async () => {
    const bench = setup({ config: sampleConfig({ mappings: [sampleMapping()] }) });
    const rows = async (): Promise<number[]> => {
      const units = [`sqs-${sampleMapping().uuid}-0`, `sqs-${other.uuid}-0`, `sqs-${other.uuid}-4`];
      return (await bench.store.leases.view(units)).map((view) => view.epoch);
    };
    // What a poller that stopped right after it had lost the mapping left behind.
    await bench.store.scale.note([{ id: other.uuid, slots: 5 }]);
    await bench.store.scale.adjust(other.uuid, 3, { initial: 5, floor: 2, ceiling: 100, growthPerMinute: 300 });
    for (const slot of [0, 4]) {
      await bench.store.leases.acquire(`sqs-${other.uuid}-${slot}`, 'gone', 10_000);
      await bench.store.leases.release(`sqs-${other.uuid}-${slot}`, 'gone', 1);
    }
    await bench.sim.advance(600_000);
    expect(await rows()).toEqual([1, 1, 1]);
    await bench.sim.advance(1_000_000);
    expect(await rows()).toEqual([1, 0, 0]);
    expect(await bench.store.scale.desired([{ id: other.uuid, initial: 1 }])).toEqual(new Map([[other.uuid, 1]]));
    expect((await bench.store.scale.forgotten(0)).map(({ id }) => id)).toEqual([sampleMapping().uuid]);
  });
});
