import { once } from 'node:events';
import { startTcpFaultProxy, type TcpFaultProxy } from '@wherry/testkit/tcp-fault-proxy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestFleet, until } from './fleet.ts';
import { Ledger, namedTarget, startNamed } from './ledger.ts';

const NAMES = ['a', 'b', 'c'];
const BATCH = 5;
/** How long nobody may fetch; several probes fall into it. */
const DEAD_MS = 4_000;
/** One poller of the fleet probes a dead target, at first after half a second and then ever more rarely. */
const PROBE_GAP_MS = 500;

let fleet: TestFleet;
/** The way of all pollers to their target. */
let link: TcpFaultProxy;

beforeAll(async () => {
  fleet = await TestFleet.open({ proxied: true });
  link = await startTcpFaultProxy(Number(new URL(fleet.functions.url).port));
});
afterAll(async () => {
  await fleet.close();
  await link.close();
});

test('a dead target opens the breaker: the fleet fetches for probes alone, burns no receive counts, and goes on by itself', async () => {
  const lane = await fleet.addLane('work', {
    queue: { visibilityTimeoutSeconds: 30 },
    mapping: { sqs: { waitTime: '1s' }, BatchSize: BATCH },
    function: { ...namedTarget(`http://127.0.0.1:${link.port}/work`), Timeout: 2 },
  });
  await fleet.reload();
  const ledger = new Ledger(fleet, lane);
  const pollers = await startNamed(fleet, NAMES);
  ledger.start(60);
  await ledger.delivers(200);

  await link.setMode('refuse');
  for (const poller of pollers) {
    await until(
      () => poller.status(),
      ({ mappings }) => mappings[0]?.gate?.state === 'open',
    );
  }
  const openedAt = fleet.proxy.count('ReceiveMessage');
  const waiting = (await fleet.queues.send(lane.queue, manyBodies('waiting', 100))).length;
  // The time for which it is dead is what is tested.
  await once(AbortSignal.timeout(DEAD_MS), 'abort');
  const receives = fleet.proxy.count('ReceiveMessage') - openedAt;
  expect(receives).toBeLessThanOrEqual(DEAD_MS / PROBE_GAP_MS);

  await link.setMode('pass');
  await ledger.delivers(200);
  const { lost } = await ledger.settle();
  expect(lost).toEqual([]);
  await fleet.emptied(lane.queue);
  const late = ledger.arrivals.filter(({ body }) => body.startsWith('waiting'));
  expect(new Set(late.map(({ body }) => body)).size).toBe(waiting);
  const burnt = late.filter(({ receiveCount }) => receiveCount > 1);
  // Only what the probes took was received for nothing; the last of them may have come after the count.
  expect(burnt.length).toBeLessThanOrEqual(BATCH * (receives + 1));
  expect(burnt.length).toBeLessThan(waiting);
  const states = await Promise.all(pollers.map(async (poller) => (await poller.status()).mappings[0]?.gate?.state));
  expect(states).toEqual(NAMES.map(() => 'closed'));
});

function manyBodies(what: string, count: number): { body: string }[] {
  return Array.from({ length: count }, (_, index) => ({ body: `${what} ${index}` }));
}
