import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, type Lane, type LaneOptions, type TestPoller } from './fleet.ts';
import type { Handler, Invocation } from './function-server.ts';

const POLLERS = 3;
const TIMEOUT_SECONDS = 6;
const MESSAGES_OF_KILLED = 4;
const numbered = (count: number): { body: string }[] => Array.from({ length: count }, (_, index) => ({ body: `${index}` }));
const capped = (maximum: number) => ({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: maximum } });
const busyFor = async (ms: number): Promise<void> => void (await once(AbortSignal.timeout(ms), 'abort'));

/** The work of a function with so many places: those that fill them first run nearly until their deadline, whether or not their caller lives. */
function longFirst(places: number): Handler {
  return async ({ number }) => busyFor(number <= places ? TIMEOUT_SECONDS * 1_000 - 200 : 30);
}

const sharedFunction = { function: { Timeout: 5, ReservedConcurrentExecutions: 2 }, handler: () => busyFor(30) };
/** What is tried while three pollers live, and then again when one of them dies in the midst of long invocations. */
const LANES: Readonly<Record<string, LaneOptions>> = {
  'maximum-1': { mapping: capped(1), messages: numbered(20), function: { Timeout: 5 }, handler: () => busyFor(30) },
  'maximum-2': { mapping: capped(2), messages: numbered(20), function: { Timeout: 5 }, handler: () => busyFor(30) },
  reserved: { ...sharedFunction, mapping: { BatchSize: 1 }, messages: numbered(20) },
  'reserved-too': { functionOf: 'reserved', mapping: { BatchSize: 1 }, messages: numbered(20) },
};
/** Cap of each function whose pollers are killed. */
const KILLED: Readonly<Record<string, number>> = { 'killed-maximum-1': 1, 'killed-maximum-2': 2, 'killed-reserved': 1 };

let fleet: TestFleet;
let pollers: TestPoller[];
const lanes = new Map<string, Lane>();
const lane = (name: string): Lane => lanes.get(name)!;
const peak = (name: string): number => Math.max(...fleet.functions.of(name).map(({ running }) => running));
const releaseSlow = Promise.withResolvers<object>();

beforeAll(async () => {
  fleet = await TestFleet.open({ config: { leases: { ttl: '4s', renewEvery: '1s' } } });
  const add = async (name: string, options: LaneOptions): Promise<void> => void lanes.set(name, await fleet.addLane(name, options));
  for (const [name, options] of Object.entries(LANES)) await add(name, options);
  const slow = { ...capped(2), sqs: { waitTime: '1s' } };
  await add('sqs-13', { mapping: slow, messages: numbered(50), function: { Timeout: 20 }, handler: () => releaseSlow.promise });
  const killed = { function: { Timeout: TIMEOUT_SECONDS }, queue: { visibilityTimeoutSeconds: 8 } };
  for (const maximum of [1, 2]) {
    await add(`killed-maximum-${maximum}`, { ...killed, mapping: capped(maximum), handler: longFirst(maximum) });
  }
  const reserved = { Timeout: TIMEOUT_SECONDS, ReservedConcurrentExecutions: 1 };
  await add('killed-reserved', { ...killed, function: reserved, mapping: { BatchSize: 1 }, handler: longFirst(1) });
  await add('bat-08', {
    functionOf: 'killed-reserved',
    mapping: { BatchSize: 1, sqs: { waitTime: '1s', extendVisibility: false } },
    queue: { visibilityTimeoutSeconds: 6 },
  });
  pollers = await fleet.start(POLLERS);
});
afterAll(async () => expect(await fleet.close()).toEqual([0, 0, 0]));

describe('caps across three pollers, counted at the function', () => {
  test.each([
    ['maximum-1', 1, 20],
    ['maximum-2', 2, 20],
    ['reserved', 2, 40],
  ])('%s: never more than %i at a time, and all is delivered', async (name, cap, messages) => {
    const seen = await fleet.functions.answered(name, messages);
    expect(peak(name)).toBe(cap);
    expect(new Set(seen.map(({ records }) => records[0]?.messageId)).size).toBe(messages);
    await fleet.emptied(lane(name).queue);
  });

  test('SQS-13 MaximumConcurrency 2 with a slow function: two in flight, and what has no slot stays visible in the queue', async () => {
    await fleet.functions.until('sqs-13', (seen) => seen.length === 2);
    await fleet.counts(lane('sqs-13').queue, ({ notVisible }) => notVisible === 2);
    expect(await fleet.queues.count(lane('sqs-13').queue)).toEqual({ visible: 48, notVisible: 2 });
    releaseSlow.resolve({});
    await fleet.emptied(lane('sqs-13').queue);
    expect(peak('sqs-13')).toBe(2);
    expect(fleet.functions.of('sqs-13')).toHaveLength(50);
  });

  test('BAT-08 orphans of killed pollers count until their deadline; what waits for a place meanwhile is not invoked once its visibility has ended', async () => {
    for (const name of Object.keys(KILLED)) await fleet.queues.send(lane(name).queue, numbered(MESSAGES_OF_KILLED));
    const begun = Object.entries(KILLED).map(([name, cap]) => fleet.functions.until(name, (seen) => seen.length === cap));
    await Promise.all(begun);
    const inFlight = await Promise.all(pollers.map(inFlightOf));
    const victims = pollers.filter((_, index) => inFlight[index]! > 0);
    expect(victims.length).toBeGreaterThan(0);
    await fleet.start(victims.length);
    for (const { child } of victims) child.kill('SIGKILL');
    await Promise.all(victims.map(({ exited }) => exited));
    await fleet.queues.send(lane('bat-08').queue, [{ body: 'waits for a place' }]);

    await Promise.all([...Object.keys(KILLED), 'bat-08'].map((name) => fleet.emptied(lane(name).queue)));
    for (const [name, cap] of Object.entries(KILLED)) {
      expect([name, peak(name)]).toEqual([name, cap]);
      expect(new Set(deliveredFrom(name, name)).size).toBe(MESSAGES_OF_KILLED);
    }
    // The dead poller's place was kept for longer than this message's visibility, so it was received more than once.
    const [delivered, ...more] = fleet.functions.of('killed-reserved').filter(({ bodies }) => bodies[0] === 'waits for a place');
    expect(more).toEqual([]);
    expect(Number(delivered?.records[0]?.attributes['ApproximateReceiveCount'])).toBeGreaterThan(1);
    expect(await fleet.metric('wherry_events_expired_total', 'bat-08')).toBeGreaterThan(0);
  });
});

async function inFlightOf(poller: TestPoller): Promise<number> {
  const { mappings } = await poller.status();
  return mappings.filter(({ name }) => name in KILLED).reduce((sum, { inFlight }) => sum + inFlight, 0);
}

/** Ids of the messages of one lane's queue that a function was invoked with. */
function deliveredFrom(functionName: string, laneName: string): string[] {
  const { arn } = lane(laneName).queue;
  const records = fleet.functions.of(functionName).flatMap((invocation: Invocation) => invocation.records);
  return records.filter((record) => record['eventSourceARN'] === arn).map(({ messageId }) => messageId);
}
