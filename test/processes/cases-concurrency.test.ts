import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, until, type Lane, type LaneOptions, type TestPoller } from './fleet.ts';
import type { Handler } from './function-server.ts';

const POLLERS = 3;
/** Longer than it takes others to have a dead poller's leases, so that they want to invoke while its invocations still run. */
const TIMEOUT_SECONDS = 8;
const MESSAGES_OF_KILLED = 4;
const numbered = (count: number): { body: string }[] => Array.from({ length: count }, (_, index) => ({ body: `${index}` }));
const capped = (maximum: number) => ({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: maximum } });
const busyFor = async (ms: number): Promise<void> => void (await once(AbortSignal.timeout(ms), 'abort'));

/** The work of a function with so many places: those that fill them first run nearly until their deadline, whether or not their caller lives. */
function longFirst(places: number): Handler {
  return async ({ number }) => busyFor(number <= places ? TIMEOUT_SECONDS * 1_000 - 200 : 30);
}

const sharedFunction = { function: { Timeout: 5, ReservedConcurrentExecutions: 2 }, handler: () => busyFor(30) };
/** 20 messages each, while three pollers live. */
const LANES: Readonly<Record<string, LaneOptions>> = {
  'maximum-1': { mapping: capped(1), function: { Timeout: 5 }, handler: () => busyFor(30) },
  'maximum-2': { mapping: capped(2), function: { Timeout: 5 }, handler: () => busyFor(30) },
  reserved: { ...sharedFunction, mapping: { BatchSize: 1 } },
  'reserved-too': { functionOf: 'reserved', mapping: { BatchSize: 1 } },
};
/** Cap of each function whose pollers are killed. */
const KILLED: Readonly<Record<string, number>> = { 'killed-maximum-1': 1, 'killed-maximum-2': 2, 'killed-reserved': 1 };

let fleet: TestFleet;
let pollers: TestPoller[];
const lanes = new Map<string, Lane>();
const lane = (name: string): Lane => lanes.get(name)!;
const peak = (name: string): number => Math.max(...fleet.functions.of(name).map(({ running }) => running));
const delivered = (name: string): Set<unknown> => new Set(fleet.functions.of(name).map(({ records }) => records[0]?.messageId));
const releaseSlow = Promise.withResolvers<object>();

beforeAll(async () => {
  fleet = await TestFleet.open({ config: { leases: { ttl: '3s', renewEvery: '1s' } } });
  const add = async (name: string, options: LaneOptions): Promise<void> => void lanes.set(name, await fleet.addLane(name, options));
  for (const [name, options] of Object.entries(LANES)) await add(name, options);
  const slow = { ...capped(2), sqs: { waitTime: '1s' } };
  await add('sqs-13', { mapping: slow, function: { Timeout: 20 }, handler: () => releaseSlow.promise });
  const killed = { function: { Timeout: TIMEOUT_SECONDS }, queue: { visibilityTimeoutSeconds: 10 } };
  for (const maximum of [1, 2]) {
    await add(`killed-maximum-${maximum}`, { ...killed, mapping: capped(maximum), handler: longFirst(maximum) });
  }
  const reserved = { Timeout: TIMEOUT_SECONDS, ReservedConcurrentExecutions: 1 };
  await add('killed-reserved', { ...killed, function: reserved, mapping: { BatchSize: 1 }, handler: longFirst(1) });
  pollers = await fleet.start(POLLERS);
  // Whoever was first may have taken all; the test is about three that share.
  await until(
    () => Promise.all(pollers.map(slotsOf)),
    (slots) => slots.every((count) => count > 0),
  );
  for (const name of Object.keys(LANES)) await fleet.queues.send(lane(name).queue, numbered(20));
});
afterAll(async () => expect(await fleet.close()).toEqual([0, 0, 0]));

describe('caps across three pollers, counted at the function', () => {
  test.each([
    ['maximum-1', 1, 20],
    ['maximum-2', 2, 20],
    ['reserved', 2, 40],
  ])('%s: never more than %i at a time, and all is delivered', async (name, cap, messages) => {
    await fleet.functions.answered(name, messages);
    expect(peak(name)).toBe(cap);
    expect(delivered(name).size).toBe(messages);
  });

  test('SQS-13 MaximumConcurrency 2 with a slow function: two in flight, and what has no slot stays visible in the queue', async () => {
    await fleet.queues.send(lane('sqs-13').queue, numbered(50));
    await fleet.functions.until('sqs-13', (seen) => seen.length === 2);
    await fleet.counts(lane('sqs-13').queue, ({ notVisible }) => notVisible === 2);
    expect(await fleet.queues.count(lane('sqs-13').queue)).toEqual({ visible: 48, notVisible: 2 });
    releaseSlow.resolve({});
    await fleet.emptied(lane('sqs-13').queue);
    expect(peak('sqs-13')).toBe(2);
    expect(fleet.functions.of('sqs-13')).toHaveLength(50);
  });

  test('SQS-13 pollers killed during long invocations leave orphans that count until their deadline: no cap is exceeded, all is delivered', async () => {
    for (const name of Object.keys(KILLED)) await fleet.queues.send(lane(name).queue, numbered(MESSAGES_OF_KILLED));
    const begun = Object.entries(KILLED).map(([name, cap]) => fleet.functions.until(name, (seen) => seen.length === cap));
    await Promise.all(begun);
    const inFlight = await Promise.all(pollers.map(inFlightOf));
    const victims = pollers.filter((_, index) => inFlight[index]! > 0);
    expect(victims.length).toBeGreaterThan(0);
    for (const { child } of victims) child.kill('SIGKILL');
    await Promise.all(victims.map(({ exited }) => exited));
    await fleet.start(victims.length);

    await Promise.all(Object.keys(KILLED).map((name) => fleet.emptied(lane(name).queue)));
    for (const [name, cap] of Object.entries(KILLED)) {
      expect([name, peak(name)]).toEqual([name, cap]);
      expect(delivered(name).size).toBe(MESSAGES_OF_KILLED);
    }
  });
});

async function slotsOf(poller: TestPoller): Promise<number> {
  return (await poller.status()).mappings.reduce((sum, { slots }) => sum + slots.here, 0);
}

async function inFlightOf(poller: TestPoller): Promise<number> {
  const { mappings } = await poller.status();
  return mappings.filter(({ name }) => name in KILLED).reduce((sum, { inFlight }) => sum + inFlight, 0);
}
