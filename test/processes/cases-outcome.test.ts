import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, until, type Lane, type LaneOptions } from './fleet.ts';
import { failure, throttle, type Handler, type Invocation } from './function-server.ts';

const PARTIAL = { FunctionResponseTypes: ['ReportBatchItemFailures'] };
/** Long enough for an invocation, short enough to be waited for. */
const SHORT = { visibilityTimeoutSeconds: 3 };
const THREE = [{ body: '1' }, { body: '2' }, { body: '3' }];

const json = (body: string, headers: Record<string, string> = {}): Response =>
  new Response(body, { headers: { 'content-type': 'application/json', ...headers } });
const failing = (records: Invocation['records']): unknown => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});
const receiveCounts = (invocations: readonly Invocation[]): number[] =>
  invocations.map(({ records }) => Number(records[0]?.attributes['ApproximateReceiveCount']));

/** SQS-01: ways for a whole invocation to fail. */
const FAILURES: readonly (readonly [string, Handler])[] = [
  ['the function answers 500', failure],
  ['X-Amz-Function-Error says so', () => json('{"errorMessage":"no"}', { 'x-amz-function-error': 'Unhandled' })],
  ['no answer comes within Timeout', ({ abandoned }) => once(abandoned, 'abort').then(() => ({}))],
];

/** SQS-07: answers to ReportBatchItemFailures by which all is well. */
const ALL_WELL: readonly (readonly [string, string])[] = [
  ['an empty object', '{}'],
  ['null', 'null'],
  ['an empty list', '{"batchItemFailures":[]}'],
  ['a null list', '{"batchItemFailures":null}'],
];

/** SQS-08: answers to ReportBatchItemFailures that keep the whole batch. */
const ALL_KEPT: readonly (readonly [string, string])[] = [
  ['an empty id', '{"batchItemFailures":[{"itemIdentifier":""}]}'],
  ['an unknown id', '{"batchItemFailures":[{"itemIdentifier":"nobody"}]}'],
  ['a numeric id', '{"batchItemFailures":[{"itemIdentifier":17}]}'],
  ['a null id', '{"batchItemFailures":[{"itemIdentifier":null}]}'],
  ['an entry with another key', '{"batchItemFailures":[{"foo":"notvalid"}]}'],
  ['an empty entry', '{"batchItemFailures":[{}]}'],
  ['no list', '{"batchItemFailures":"x"}'],
  ['invalid JSON', 'done'],
];

/** BAT-08: resolved when a message of another mapping is in a poller's hands and waits for the function's only place. */
const whenTheOtherWaits = Promise.withResolvers<void>();

const LANES: Readonly<Record<string, LaneOptions>> = {
  ...Object.fromEntries(
    FAILURES.map(([, fail], index) => [
      `sqs-01-${index}`,
      { queue: SHORT, messages: [{ body: 'a' }], handler: (invocation) => (invocation.number === 1 ? fail(invocation) : {}) },
    ]),
  ),
  'sqs-02': { queue: { visibilityTimeoutSeconds: 2 }, maxReceiveCount: 2, messages: [{ body: 'poison' }], handler: failure },
  'sqs-03': {
    queue: { visibilityTimeoutSeconds: 20 },
    messages: [{ body: 'a' }],
    handler: ({ number }) => (number <= 2 ? throttle() : {}),
  },
  'sqs-04': {
    queue: SHORT,
    messages: [{ body: 'a' }],
    handler: (invocation) => (receiveCounts([invocation])[0] === 1 ? throttle() : {}),
  },
  'sqs-05': {
    queue: SHORT,
    mapping: PARTIAL,
    messages: THREE,
    handler: ({ number, records }) => failing(number === 1 ? records.filter(({ body }) => body === '2') : []),
  },
  ...Object.fromEntries(
    ALL_WELL.map(([, answer], index) => [`sqs-07-${index}`, { mapping: PARTIAL, messages: THREE, handler: () => json(answer) }]),
  ),
  ...Object.fromEntries(
    ALL_KEPT.map(([, answer], index) => [
      `sqs-08-${index}`,
      { queue: SHORT, mapping: PARTIAL, messages: THREE, handler: ({ number }) => (number === 1 ? json(answer) : {}) },
    ]),
  ),
  'bat-08-first': {
    function: { Timeout: 3, ReservedConcurrentExecutions: 1 },
    handler: ({ number }) => (number === 1 ? whenTheOtherWaits.promise.then(() => throttle(6)) : {}),
  },
  'bat-08': { functionOf: 'bat-08-first', queue: SHORT, mapping: { sqs: { waitTime: '1s', extendVisibility: false } } },
  'sqs-09': { messages: THREE, handler: ({ records }) => failing(records) },
};

let fleet: TestFleet;
const lanes = new Map<string, Lane>();
const lane = (name: string): Lane => lanes.get(name)!;

beforeAll(async () => {
  fleet = await TestFleet.open();
  for (const [name, options] of Object.entries(LANES)) lanes.set(name, await fleet.addLane(name, options));
  await fleet.start();
});
afterAll(async () => expect(await fleet.close()).toEqual([0]));

/** Waits until so many messages of a lane were deleted, and gives its sums as CloudWatch would show them. */
async function sums(name: string, deleted: number): Promise<Record<'polled' | 'invoked' | 'failed' | 'deleted', number>> {
  const read = (what: string): Promise<number> => fleet.metric(`wherry_events_${what}_total`, name);
  await until(
    () => read('deleted'),
    (value) => value >= deleted,
  );
  const [polled, invoked, failed] = await Promise.all([read('polled'), read('invoked'), read('failed')]);
  return { polled, invoked, failed, deleted: await read('deleted') };
}

describe.concurrent('what becomes of messages', () => {
  test.each(FAILURES.map(([why], index) => [why, `sqs-01-${index}`] as const))(
    'SQS-01 when %s, the message comes back after its visibility timeout with receive count 2',
    async (_why, name) => {
      const seen = await fleet.functions.answered(name, 2);
      expect(seen.map(({ records }) => records.map(({ messageId }) => messageId))).toEqual([lane(name).ids, lane(name).ids]);
      expect(receiveCounts(seen)).toEqual([1, 2]);
      expect(await sums(name, 1)).toEqual({ polled: 2, invoked: 2, failed: 1, deleted: 1 });
      await fleet.emptied(lane(name).queue);
    },
  );

  test('SQS-02 a message that always fails is delivered maxReceiveCount times and then is in the dead-letter queue', async () => {
    const { queue, deadLetters } = lane('sqs-02');
    await fleet.counts(deadLetters!, ({ visible }) => visible === 1);
    expect(receiveCounts(fleet.functions.of('sqs-02'))).toEqual([1, 2]);
    expect(await fleet.queues.drain(deadLetters!)).toEqual(['poison']);
    await fleet.emptied(queue);
    expect(await sums('sqs-02', 0)).toEqual({ polled: 2, invoked: 2, failed: 2, deleted: 0 });
  });

  test('SQS-03 MET-02 throttled twice and then well: one receive, three attempts of one batch; polled 1, invoked 3, failed 2', async () => {
    const seen = await fleet.functions.answered('sqs-03', 3);
    expect(receiveCounts(seen)).toEqual([1, 1, 1]);
    expect(new Set(seen.map(({ records }) => records[0]?.receiptHandle)).size).toBe(1);
    const deliveries = seen.map(({ headers }) => JSON.parse(String(headers['x-wherry-delivery'])) as { batch: string; attempt: number });
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(deliveries.map(({ batch }) => batch)).size).toBe(1);
    await fleet.emptied(lane('sqs-03').queue);
    expect(await sums('sqs-03', 1)).toEqual({ polled: 1, invoked: 3, failed: 2, deleted: 1 });
    expect(await fleet.metric('wherry_invocations_total', 'sqs-03', { outcome: 'throttled' })).toBe(2);
  });

  test('SQS-04 throttled until its visibility ends, a message is not invoked with a stale receipt but comes back with count 2', async () => {
    const seen = await fleet.functions.until('sqs-04', (invocations) => receiveCounts(invocations).includes(2));
    // No attempt with the old receipt follows the redelivery.
    expect(receiveCounts(seen)).toEqual([...seen.slice(1).map(() => 1), 2]);
    await fleet.emptied(lane('sqs-04').queue);
    expect(await sums('sqs-04', 1)).toMatchObject({ polled: 2, invoked: seen.length, failed: seen.length - 1, deleted: 1 });
    expect(fleet.functions.of('sqs-04')).toHaveLength(seen.length);
  });

  test('SQS-05 of a partial failure the listed message alone stays, and comes back after its visibility timeout', async () => {
    const [first, second] = await fleet.functions.answered('sqs-05', 2);
    expect(first?.bodies.toSorted()).toEqual(['1', '2', '3']);
    expect(second?.bodies).toEqual(['2']);
    expect(receiveCounts([first!, second!])).toEqual([1, 2]);
    await fleet.emptied(lane('sqs-05').queue);
    expect(await sums('sqs-05', 3)).toEqual({ polled: 4, invoked: 4, failed: 1, deleted: 3 });
  });

  const wells: readonly (readonly [string, string])[] = ALL_WELL.map(([answer], index) => [answer, `sqs-07-${index}`]);
  test.each([...wells, ['failures, without ReportBatchItemFailures', 'sqs-09'] as const])(
    'SQS-07 SQS-09 %s deletes all',
    async (_answer, name) => {
      await fleet.emptied(lane(name).queue);
      expect(fleet.functions.of(name).map(({ bodies }) => bodies.toSorted())).toEqual([['1', '2', '3']]);
      expect(await sums(name, 3)).toEqual({ polled: 3, invoked: 3, failed: 0, deleted: 3 });
    },
  );

  test('BAT-08 a message that waits for a place until its visibility has ended is not invoked, but comes back', async () => {
    const [first, second] = [lane('bat-08-first').queue, lane('bat-08').queue];
    await fleet.queues.send(first, [{ body: 'first' }]);
    await fleet.functions.until('bat-08-first', (seen) => seen.length === 1);
    await fleet.queues.send(second, [{ body: 'second' }]);
    await fleet.counts(second, ({ notVisible }) => notVisible === 1);
    whenTheOtherWaits.resolve();
    await Promise.all([fleet.emptied(first), fleet.emptied(second)]);
    const seen = fleet.functions.of('bat-08-first');
    expect(seen.map(({ bodies }) => bodies[0] ?? '').toSorted()).toEqual(['first', 'first', 'second']);
    expect(receiveCounts(seen.filter(({ bodies }) => bodies[0] === 'second'))).toEqual([2]);
    expect(await sums('bat-08', 1)).toEqual({ polled: 2, invoked: 1, failed: 0, deleted: 1 });
    expect(await fleet.metric('wherry_events_expired_total', 'bat-08')).toBe(1);
  });

  test.each(ALL_KEPT.map(([answer], index) => [answer, `sqs-08-${index}`] as const))('SQS-08 %s deletes none', async (_answer, name) => {
    await fleet.emptied(lane(name).queue);
    const bodies = fleet.functions.of(name).map((invocation) => invocation.bodies);
    expect(bodies[0]?.toSorted()).toEqual(['1', '2', '3']);
    // All visible again at one moment, the three may come back in one receive or in several.
    expect(bodies.slice(1).flat().toSorted()).toEqual(['1', '2', '3']);
    expect(await sums(name, 3)).toEqual({ polled: 6, invoked: 6, failed: 3, deleted: 3 });
  });
});
