import type { HttpFault } from '@wherry/testkit/call-faults';
import { startTcpFaultProxy, type TcpFaultProxy } from '@wherry/testkit/tcp-fault-proxy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, until, type Lane, type TestPoller } from './fleet.ts';
import { Ledger, namedTarget, startNamed } from './ledger.ts';

const NAMES = ['a', 'b', 'c'];
/** Bad weather on the way to SQS. Each is inflicted until it has hit some calls; the mapping beside it must not notice. */
const WEATHER: readonly (readonly [string, string, HttpFault, number])[] = [
  ['throttled receives', 'ReceiveMessage', { kind: 'error', code: 'ThrottlingException', status: 400 }, 8],
  ['throttled deletes', 'DeleteMessageBatch', { kind: 'error', code: 'ThrottlingException', status: 400 }, 8],
  ['reset connections', 'ReceiveMessage', { kind: 'reset' }, 10],
  ['lost answers to deletes', 'DeleteMessageBatch', { kind: 'lostResponse' }, 8],
  ['calls that vanish', 'DeleteMessageBatch', { kind: 'blackHole' }, 3],
];

let fleet: TestFleet;
let shaky: Ledger;
let steady: Ledger;
let pollers: TestPoller[];
/** The way of the shaky mapping's calls to the fault proxy. */
let line: TcpFaultProxy;
let lanes: readonly [shaky: Lane, steady: Lane];

beforeAll(async () => {
  fleet = await TestFleet.open({ proxied: true, config: { leases: { ttl: '4s', renewEvery: '1s' } } });
  line = await startTcpFaultProxy(Number(new URL(fleet.proxy.url).port));
  const lane = (name: string, endpoint: string) =>
    fleet.addLane(name, {
      queue: { visibilityTimeoutSeconds: 8 },
      mapping: { sqs: { waitTime: '1s' }, aws: { endpoint } },
      function: { ...namedTarget(`${fleet.functions.url}/${name}`), Timeout: 2 },
    });
  lanes = [await lane('shaky', `http://127.0.0.1:${line.port}`), await lane('steady', fleet.backendUrl)];
  await fleet.reload();
  [shaky, steady] = lanes.map((each) => new Ledger(fleet, each)) as [Ledger, Ledger];
  pollers = await startNamed(fleet, NAMES);
  shaky.start(40);
  steady.start(40);
  await Promise.all([shaky.delivers(100), steady.delivers(100)]);
});
afterAll(async () => {
  await fleet.close();
  await line.close();
});

describe('three pollers behind a bad line to SQS', () => {
  test.each(WEATHER)('%s: the mapping beside it flows on, and this one recovers', async (_what, operation, fault, times) => {
    const hit = fleet.proxy.count(operation) + times;
    const release = fleet.proxy.inject({ operation, fault, times });
    await Promise.all([fleet.proxy.arrived(operation, hit), steady.delivers(50)]);
    await Promise.all([steady.delivers(50), shaky.delivers(50)]);
    release();
  });

  test('nothing answers at all for a while: the other mapping flows on, and this one recovers', async () => {
    await line.setMode('blackHole');
    await steady.delivers(2_000);
    await line.setMode('pass');
    await shaky.delivers(50);
  });

  test('after all that nothing is lost, and the mapping beside it had no duplicate', async () => {
    const [ofShaky, ofSteady] = await Promise.all([shaky.settle(), steady.settle()]);
    expect(ofShaky.lost).toEqual([]);
    expect(ofSteady.lost).toEqual([]);
    expect(steady.duplicates()).toEqual([]);
    const statuses = await Promise.all(pollers.map((poller) => poller.status()));
    const problems = statuses.flatMap(({ mappings }) => mappings.map(({ problem }) => problem));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });
});

test('a missing queue and a forbidden call are named in the status, the healthy mapping flows, and a queue created later is picked up', async () => {
  const forbidden = await fleet.addLane('forbidden');
  const late = await fleet.addLane('late', { mapping: { aws: { endpoint: fleet.backendUrl } } });
  await fleet.queues.delete(late.queue);
  const denied: HttpFault = { kind: 'error', code: 'AccessDeniedException', status: 403, message: 'not allowed to receive' };
  const release = fleet.proxy.inject({ operation: '*', fault: denied });
  const healthy = new Ledger(fleet, lanes[1]);
  fleet.removeMapping('shaky');
  await fleet.reload();
  healthy.start(40);
  for (const [name, problem] of [
    [forbidden.name, /AccessDenied.*not allowed to receive/],
    [late.name, /NonExistentQueue|QueueDoesNotExist/],
  ] as const) {
    await until(
      () => Promise.all(pollers.map((poller) => poller.status())),
      (statuses) => statuses.some(({ mappings }) => problem.test(mappings.find((mapping) => mapping.name === name)?.problem ?? '')),
    );
  }
  await healthy.delivers(200);

  await fleet.queues.create({ name: late.name });
  const arrivals = new Ledger(fleet, late);
  await fleet.queues.send(late.queue, [{ body: 'at last' }]);
  await fleet.functions.until(late.name, (seen) => seen.some(({ bodies }) => bodies.includes('at last')));
  release();
  expect(arrivals.arrivals.map(({ body }) => body)).toEqual(['at last']);
  expect((await healthy.settle()).lost).toEqual([]);
});
