import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestFleet, until, type TestPoller } from './fleet.ts';
import { failure } from './function-server.ts';

let fleet: TestFleet;
let poller: TestPoller;

/** One queue after another: each test changes the configuration that all share, or the network. */
beforeAll(async () => {
  fleet = await TestFleet.open({ proxied: true });
  await fleet.addLane('steady');
  [poller] = (await fleet.start()) as [TestPoller];
});
afterAll(async () => expect(await fleet.close()).toEqual([0]));

const mappingOf = async (name: string) => (await poller.status()).mappings.find((mapping) => mapping.name === name);
const stateIs = (name: string, state: string | undefined) =>
  until(
    () => mappingOf(name),
    (mapping) => mapping?.state === state,
  );

test('STA-01 a mapping created disabled is Disabled at once and reads nothing; enabled, it delivers what waited', async () => {
  const { queue, ids } = await fleet.addLane('sta-01', { mapping: { Enabled: false }, messages: [{ body: 'waits' }] });
  await fleet.reload();
  expect(await mappingOf('sta-01')).toMatchObject({ state: 'Disabled', stateTransitionReason: 'USER_INITIATED', slots: { here: 0 } });
  // The claim scan that could have begun it has been: another new mapping is at work.
  const { queue: other } = await fleet.addLane('sta-01-other', { messages: [{ body: 'goes' }] });
  await fleet.reload();
  await fleet.emptied(other);
  expect(await fleet.queues.count(queue)).toEqual({ visible: 1, notVisible: 0 });
  expect(await fleet.metric('wherry_polls_total', 'sta-01')).toBe(0);

  fleet.changeMapping('sta-01', { Enabled: true });
  await fleet.reload();
  const [invocation] = await fleet.functions.answered('sta-01', 1);
  expect(invocation?.records.map(({ messageId }) => messageId)).toEqual(ids);
  await stateIs('sta-01', 'Enabled');
  await fleet.emptied(queue);
});

test('STA-03 an SQS mapping has no LastProcessingResult, before, after a success and after a failure', async () => {
  const { queue } = await fleet.addLane('sta-03', {
    queue: { visibilityTimeoutSeconds: 2 },
    handler: ({ number }) => (number === 2 ? failure() : {}),
  });
  await fleet.reload();
  const found = [await stateIs('sta-03', 'Enabled')];
  for (const body of ['well', 'fails once']) {
    await fleet.queues.send(queue, [{ body }]);
    await fleet.emptied(queue);
    found.push(await mappingOf('sta-03'));
  }
  expect(fleet.functions.of('sta-03')).toHaveLength(3);
  expect(found.map((mapping) => mapping?.state)).toEqual(['Enabled', 'Enabled', 'Enabled']);
  expect(found.some((mapping) => JSON.stringify(mapping).toLowerCase().includes('lastprocessingresult'))).toBe(false);
});

test('SQS-12 STA-04 disabled during an invocation: it finishes and its message is deleted, nothing more is received; deleted, it is gone', async () => {
  const release = Promise.withResolvers<object>();
  const { queue } = await fleet.addLane('sqs-12', {
    function: { Timeout: 20 },
    messages: [{ body: 'running' }],
    handler: () => release.promise,
  });
  await fleet.reload();
  await fleet.functions.until('sqs-12', (seen) => seen.length === 1);
  fleet.changeMapping('sqs-12', { Enabled: false });
  await fleet.reload();
  expect(await stateIs('sqs-12', 'Disabling')).toMatchObject({ inFlight: 1 });
  release.resolve({});
  await fleet.functions.answered('sqs-12', 1);
  await stateIs('sqs-12', 'Disabled');
  await fleet.emptied(queue);
  const polls = await fleet.metric('wherry_polls_total', 'sqs-12');
  await fleet.queues.send(queue, [{ body: 'stays' }]);
  const { queue: other } = await fleet.addLane('sqs-12-other', { messages: [{ body: 'goes' }] });
  await fleet.reload();
  await fleet.emptied(other);
  expect(await fleet.queues.count(queue)).toEqual({ visible: 1, notVisible: 0 });
  expect(await fleet.metric('wherry_polls_total', 'sqs-12')).toBe(polls);
  expect(fleet.functions.of('sqs-12')).toHaveLength(1);

  fleet.removeMapping('sqs-12');
  await fleet.reload();
  await stateIs('sqs-12', undefined);
});

test('SQS-14 a message whose delete is lost is delivered again, the lost delete is not counted, and the fleet goes on', async () => {
  const { queue } = await fleet.addLane('sqs-14', { queue: { visibilityTimeoutSeconds: 3 } });
  await fleet.reload();
  await stateIs('sqs-14', 'Enabled');
  const settled = (outcome: string): Promise<number> => fleet.metric('wherry_settles_total', 'sqs-14', { action: 'deleted', outcome });
  const heal = fleet.proxy.inject({ operation: 'DeleteMessageBatch', fault: { kind: 'error', code: 'InternalFailure', status: 500 } });
  const [id] = await fleet.queues.send(queue, [{ body: 'again' }]);
  const [first, second] = await fleet.functions.answered('sqs-14', 2);
  expect([first, second].map((invocation) => invocation?.records[0]?.messageId)).toEqual([id, id]);
  expect([first, second].map((invocation) => invocation?.records[0]?.attributes['ApproximateReceiveCount'])).toEqual(['1', '2']);
  // The first delete was tried until the message's visibility had ended, and is then given up.
  await until(
    () => settled('failed'),
    (failed) => failed > 0,
  );
  expect(await fleet.metric('wherry_events_deleted_total', 'sqs-14')).toBe(0);
  heal();
  await fleet.emptied(queue);
  // Every delivery was settled once, the last one by a delete.
  const deliveries = fleet.functions.of('sqs-14').length;
  await until(
    async () => (await settled('failed')) + (await settled('done')),
    (sum) => sum === deliveries,
  );
  expect(await fleet.metric('wherry_events_deleted_total', 'sqs-14')).toBeGreaterThan(0);

  await fleet.queues.send(queue, [{ body: 'after' }]);
  await fleet.functions.until('sqs-14', (invocations) => invocations.at(-1)?.bodies[0] === 'after');
  await fleet.emptied(queue);
  expect((await poller.status()).ready).toBe(true);
});
