import type { BackendStart } from '@wherry/testkit/backend-process';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestFleet, type Lane, type LaneOptions } from './fleet.ts';
import { failure, type Invocation, type SqsRecord } from './function-server.ts';

const SHORT_FIFO = { fifo: true, visibilityTimeoutSeconds: 2 };
const TRACE = 'Root=1-66f0aaaa-0123456789abcdef01234567;Sampled=1';
const message = (body: string): { body: string; groupId: string } => ({ body, groupId: body[0]! });
const groupOf = (record: SqsRecord | undefined): string => record?.attributes['MessageGroupId'] ?? '';
const failing = (records: readonly SqsRecord[], bodies: readonly string[]): unknown => ({
  batchItemFailures: records.filter(({ body }) => bodies.includes(body)).map(({ messageId }) => ({ itemIdentifier: messageId })),
});

const LANES: Readonly<Record<string, LaneOptions>> = {
  'sqs-06': {
    queue: SHORT_FIFO,
    maxReceiveCount: 2,
    mapping: { FunctionResponseTypes: ['ReportBatchItemFailures'] },
    messages: ['a1', 'a2', 'a3', 'a4'].map(message),
    handler: ({ number, records }) => failing(records, number === 1 ? ['a2', 'a3', 'a4'] : ['a4']),
  },
  'sqs-10': {
    queue: { fifo: true },
    mapping: { BatchSize: 1 },
    function: { Timeout: 10 },
    messages: ['a1', 'a2', 'a3', 'b1', 'b2', 'b3'].map(message),
    handler: bothGroupsBegun,
  },
  'sqs-11': {
    queue: SHORT_FIFO,
    maxReceiveCount: 2,
    mapping: { BatchSize: 1 },
    messages: ['a1', 'a2', 'b1', 'b2', 'b3'].map(message),
    handler: ({ bodies }) => (bodies[0] === 'a1' ? failure() : {}),
  },
  'two-groups': { queue: { fifo: true }, messages: ['a1', 'b1', 'a2', 'b2', 'a3'].map(message) },
  filtered: {
    // Longer than the test may take: what is filtered has to be deleted, it cannot come to an end by itself.
    queue: { fifo: true, visibilityTimeoutSeconds: 300 },
    mapping: { BatchSize: 2, FilterCriteria: { Filters: [{ Pattern: { body: [{ suffix: '+' }] } }] } },
    messages: ['a1', 'a2+', 'a3', 'a4+', 'a5', 'a6', 'a7+', 'b1', 'b2+'].map(message),
  },
  'evt-01': {},
};

let started: BackendStart = { kind: 'missing', reason: 'not started' };
let fleet: TestFleet | undefined;
const lanes = new Map<string, Lane>();
const lane = (name: string): Lane => lanes.get(name)!;

beforeAll(async () => {
  // An emulator that hands out several messages of one group in one receive, as SQS does.
  started = await startMinistack();
  if (started.kind === 'missing') return;
  fleet = await TestFleet.open({ backend: started.backend });
  for (const [name, options] of Object.entries(LANES)) lanes.set(name, await fleet.addLane(name, options));
  await fleet.start();
}, 300_000);
beforeEach((context) => {
  if (started.kind === 'missing') context.skip(`no emulator with FIFO groups: ${started.reason}`);
});
afterAll(async () => {
  if (fleet !== undefined) expect(await fleet.close()).toEqual([0]);
});

/** SQS-10: nobody is done before both groups have begun, so they have to overlap. */
async function bothGroupsBegun(): Promise<object> {
  await fleet!.functions.until('sqs-10', (seen) => new Set(seen.map(({ records }) => groupOf(records[0]))).size === 2);
  return {};
}

const bodiesOf = (invocations: readonly Invocation[]): string[] => invocations.flatMap(({ bodies }) => bodies);

describe('message groups', () => {
  test('SQS-06 partial failures of one group: receive counts 1 and 2, the rest in order, the last one in the dead-letter queue', async () => {
    const { queue, deadLetters } = lane('sqs-06');
    await fleet!.counts(deadLetters!, ({ visible }) => visible === 1);
    const seen = fleet!.functions.of('sqs-06');
    expect(seen.map(({ bodies }) => bodies)).toEqual([
      ['a1', 'a2', 'a3', 'a4'],
      ['a2', 'a3', 'a4'],
    ]);
    expect(seen.map(({ records }) => records.map(({ attributes }) => attributes['ApproximateReceiveCount']))).toEqual([
      ['1', '1', '1', '1'],
      ['2', '2', '2'],
    ]);
    expect(await fleet!.queues.drain(deadLetters!)).toEqual(['a4']);
    await fleet!.emptied(queue);
  });

  test('SQS-10 two groups are carried side by side, one group never twice at a time, each in order', async () => {
    await fleet!.emptied(lane('sqs-10').queue);
    const seen = fleet!.functions.of('sqs-10');
    for (const group of ['a', 'b']) {
      const own = seen.filter(({ records }) => groupOf(records[0]) === group);
      expect(bodiesOf(own)).toEqual([`${group}1`, `${group}2`, `${group}3`]);
      for (const [index, next] of own.slice(1).entries()) expect(own[index]!.endedAtMs).toBeLessThanOrEqual(next.startedAtMs);
    }
  });

  test('SQS-11 a poison message holds up its own group alone, until it is in the dead-letter queue', async () => {
    const { queue, deadLetters } = lane('sqs-11');
    await fleet!.emptied(queue);
    expect(await fleet!.queues.drain(deadLetters!)).toEqual(['a1']);
    const bodies = bodiesOf(fleet!.functions.of('sqs-11'));
    expect(bodies.filter((body) => body[0] === 'a')).toEqual(['a1', 'a1', 'a2']);
    expect(bodies.filter((body) => body[0] === 'b')).toEqual(['b1', 'b2', 'b3']);
    expect(bodies.indexOf('b3')).toBeLessThan(bodies.lastIndexOf('a1'));
  });

  test('a batch may hold several groups, each in its order', async () => {
    await fleet!.emptied(lane('two-groups').queue);
    const seen = fleet!.functions.of('two-groups');
    expect(seen[0]!.records.length).toBeGreaterThan(1);
    for (const group of ['a', 'b']) {
      const own = bodiesOf(seen).filter((body) => body[0] === group);
      expect(own).toEqual(own.toSorted());
    }
    expect(bodiesOf(seen).toSorted()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
  });

  test('messages that are filtered out neither hold up their group nor change its order', async () => {
    await fleet!.emptied(lane('filtered').queue);
    const seen = fleet!.functions.of('filtered');
    const bodies = bodiesOf(seen);
    expect(bodies.filter((body) => body[0] === 'a')).toEqual(['a2+', 'a4+', 'a7+']);
    expect(bodies.filter((body) => body[0] === 'b')).toEqual(['b2+']);
    expect(seen.flatMap(({ records }) => records.map(({ attributes }) => attributes['ApproximateReceiveCount']))).toEqual([
      '1',
      '1',
      '1',
      '1',
    ]);
  });

  test('EVT-01 the trace header that SQS has comes to the function', async () => {
    // By itself, because this emulator takes trace headers outside batches alone.
    const system = { AWSTraceHeader: { DataType: 'String', StringValue: TRACE } };
    await fleet!.queues.call('SendMessage', { QueueUrl: lane('evt-01').queue.url, MessageBody: 'traced', MessageSystemAttributes: system });
    const [invocation] = await fleet!.functions.answered('evt-01', 1);
    expect(invocation?.records[0]?.attributes).toMatchObject({ AWSTraceHeader: TRACE });
  });
});
