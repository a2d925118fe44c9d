import type { Clock } from '@wherry/core/clock';
import type { PermitStore } from '@wherry/core/coordination';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { describeInvoker } from '@wherry/testkit/contracts/invoker';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { SimClock } from '@wherry/testkit/sim-clock';
import { TargetServer } from '@wherry/testkit/target-server';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from './http-client.ts';
import { RieTarget } from './rie-target.ts';

const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';
const FAILURE = '{"errorMessage":"boom","errorType":"OrderError","trace":["at x"]}';

let ids = 0;

function create(urls: readonly string[], clock: Clock, permits: PermitStore = new MemoryPermitStore(clock), concurrency = 1) {
  const target = { kind: 'rie', urls, concurrency } as const;
  const client = new HttpClient({ clock, network: { blockPrivate: false, allow: [] } });
  const invoker = new RieTarget(target, client, permits, { clock, random: () => 0, newId: () => `token-${ids++}` });
  const fn: FunctionDefinition = { name: 'orders', arn: ARN, target, timeoutSeconds: 3 };
  return { invoker, function: fn };
}

describeInvoker({
  name: 'rie',
  create: (url, clock) => create([`${url}/`], clock),
  deadlineMs: 8_000,
  functionError: { status: 200, body: FAILURE },
  throttle: { status: 400, headers: { 'Error-Type': 'Runtime.Unavailable' }, body: '' },
  retryAfterMs: 250,
  serviceError: { status: 500, body: '' },
  readDelivery: (headers) => {
    const context = JSON.parse(Buffer.from(String(headers['x-amz-client-context']), 'base64').toString()) as {
      custom: { wherry: unknown };
    };
    expect(context.custom.wherry).toEqual(JSON.parse(String(headers['x-wherry-delivery'])));
    return context.custom.wherry;
  },
});

describe('RieTarget', () => {
  const servers: TargetServer[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  async function setup(count: number) {
    for (let index = 0; index < count; index++) servers.push(await TargetServer.start());
    const sim = new SimClock();
    const permits = new MemoryPermitStore(sim.clock());
    const pollers = [0, 1].map(() =>
      create(
        servers.map(({ url }) => url),
        sim.clock(),
        permits,
      ),
    );
    const invoke = (poller = 0, signal = new AbortController().signal) =>
      pollers[poller]!.invoker.invoke({
        function: pollers[poller]!.function,
        payload: Buffer.from('{}'),
        requestId: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
        delivery: { fleet: 'f', mapping: 'm', source: 's', batch: 'b', attempt: 1, records: 1, first: 'a', last: 'z', epoch: 1 },
        signal,
      });
    return { sim, permits, invoke, servers };
  }

  const NO_FREE_ENDPOINT = { kind: 'throttled', reason: 'no free RIE endpoint', retryAfterMs: 250, durationMs: 0 };

  it('posts to the one path the emulator knows', async () => {
    const { invoke } = await setup(1);
    expect((await invoke()).kind).toBe('success');
    expect(servers[0]!.requests[0]).toMatchObject({ method: 'POST', path: '/2015-03-31/functions/function/invocations' });
  });

  it('never has two calls on one endpoint, whichever poller makes them', async () => {
    const { invoke, permits } = await setup(1);
    const held = Promise.withResolvers<void>();
    servers[0]!.answer((_request, response) => void held.promise.then(() => response.end('{}')));
    const arrived = servers[0]!.next();
    const first = invoke(0);
    await arrived;
    expect(await invoke(0)).toEqual(NO_FREE_ENDPOINT);
    expect(await invoke(1)).toEqual(NO_FREE_ENDPOINT);
    held.resolve();
    expect((await first).kind).toBe('success');
    expect(permits.total()).toBe(0);
    expect((await invoke(1)).kind).toBe('success');
    expect(servers[0]!.requests).toHaveLength(2);
  });

  it('picks an idle endpoint of several', async () => {
    const { invoke } = await setup(3);
    const held = Promise.withResolvers<void>();
    for (const server of servers) server.answer((_request, response) => void held.promise.then(() => response.end('{}')));
    const arrived = servers.map((server) => server.next());
    const calls = [invoke(0), invoke(1), invoke(0)];
    await Promise.all(arrived);
    expect(await invoke(1)).toEqual(NO_FREE_ENDPOINT);
    held.resolve();
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(['success', 'success', 'success']);
    expect(servers.map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  it('keeps the permit of a call that may still run, until the permit runs out', async () => {
    const { invoke, permits, sim } = await setup(1);
    servers[0]!.answer(() => {});
    const arrived = servers[0]!.next();
    const late = invoke(0);
    await arrived;
    await sim.advance(8_000);
    expect((await late).kind).toBe('timedOut');
    expect(await invoke(1)).toEqual(NO_FREE_ENDPOINT);
    expect(permits.total()).toBe(1);
    await sim.advance(4_999);
    expect(await invoke(1)).toEqual(NO_FREE_ENDPOINT);
    await sim.advance(1);
    servers[0]!.answer((_request, response) => response.end());
    expect((await invoke(1)).kind).toBe('success');
  });

  it.each(['cut', 'abort'])('keeps the permit when the connection is lost by a %s', async (way) => {
    const { invoke, permits } = await setup(1);
    const stop = new AbortController();
    servers[0]!.answer((request) => (way === 'cut' ? request.socket.resetAndDestroy() : stop.abort()));
    expect((await invoke(0, stop.signal)).kind).toBe('unavailable');
    expect(permits.total()).toBe(1);
  });

  it('gives the permit back at once where nothing was sent', async () => {
    const { invoke, permits } = await setup(1);
    await servers[0]!.close();
    expect((await invoke()).kind).toBe('unavailable');
    const stopped = new AbortController();
    stopped.abort();
    expect((await invoke(0, stopped.signal)).kind).toBe('unavailable');
    expect(permits.total()).toBe(0);
  });

  it('passes over an endpoint it could not connect to, for a while', async () => {
    const { invoke, sim } = await setup(2);
    await servers[0]!.close();
    expect((await invoke()).kind).toBe('unavailable');
    for (let call = 0; call < 4; call++) expect((await invoke()).kind).toBe('success');
    await sim.advance(5_000);
    const kinds = [await invoke(), await invoke()].map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(['success', 'unavailable']);
  });

  it('tries an unreachable endpoint all the same when it is the only one', async () => {
    const { invoke } = await setup(1);
    await servers[0]!.close();
    for (let call = 0; call < 3; call++) expect((await invoke()).kind).toBe('unavailable');
  });

  it('waits, free of charge, when the permit store is away, and invokes again when it is back', async () => {
    const { invoke, permits } = await setup(1);
    permits.isAway = true;
    expect(await invoke()).toMatchObject({ kind: 'throttled', reason: 'permit store does not answer', retryAfterMs: 1_000 });
    expect(servers[0]!.requests).toHaveLength(0);
    permits.isAway = false;
    expect((await invoke()).kind).toBe('success');
  });

  it('does not use a permit that took so long to get that it may run out before the call ends', async () => {
    const sim = new SimClock();
    const permits = new MemoryPermitStore(sim.clock());
    const slow: PermitStore = {
      acquire: async (...args) => {
        const taken = await permits.acquire(...args);
        await sim.advance(5_001);
        return taken;
      },
      release: (...args) => permits.release(...args),
      inUse: (...args) => permits.inUse(...args),
    };
    servers.push(await TargetServer.start());
    const subject = create([servers[0]!.url], sim.clock(), slow);
    const result = await subject.invoker.invoke({
      function: subject.function,
      payload: Buffer.from('{}'),
      requestId: 'r',
      delivery: { fleet: 'f', mapping: 'm', source: 's', batch: 'b', attempt: 1, records: 1, first: 'a', last: 'z', epoch: 1 },
      signal: new AbortController().signal,
    });
    expect(result.kind).toBe('throttled');
    expect(servers[0]!.requests).toHaveLength(0);
    expect(permits.total()).toBe(0);
  });
});
