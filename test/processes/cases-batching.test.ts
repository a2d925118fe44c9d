import { createHash } from 'node:crypto';
import { EVENT_BYTES_MAX } from '@wherry/core/batch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, type Lane, type LaneOptions } from './fleet.ts';
import type { SqsRecord } from './function-server.ts';

const numbered = (count: number): { body: string }[] => Array.from({ length: count }, (_, index) => ({ body: `${index}` }));
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
/** One slot, so that nobody else takes part of a batch. */
const ALONE = { ScalingConfig: { MaximumConcurrency: 1 } };
const ATTRIBUTES = {
  Author: { DataType: 'String', StringValue: 'Ada' },
  Weeks: { DataType: 'Number', StringValue: '6' },
  Blob: { DataType: 'Binary', BinaryValue: '3q2+7w==' },
};
/** BAT-02: 15 messages are fewer than, as many as, or far from a full batch. */
const SIZES = [15, 100, 10_000];

const LANES: Readonly<Record<string, LaneOptions>> = {
  ...Object.fromEntries(
    SIZES.map((size) => [
      `bat-02-${size}`,
      { messages: numbered(15), mapping: { BatchSize: size, MaximumBatchingWindowInSeconds: size === 15 ? 10 : 2 } },
    ]),
  ),
  'bat-02-alone': { messages: numbered(15), mapping: { BatchSize: 15, MaximumBatchingWindowInSeconds: 10, ...ALONE } },
  'bat-03': {
    messages: numbered(30),
    mapping: { BatchSize: 20, MaximumBatchingWindowInSeconds: 1, ScalingConfig: { MaximumConcurrency: 2 } },
  },
  'bat-04-plain': { mapping: ALONE, function: { Timeout: 5 } },
  'bat-04-escaped': { mapping: ALONE, function: { Timeout: 5 } },
  'bat-06-window': { mapping: { MaximumBatchingWindowInSeconds: 5 } },
  'bat-06': {},
  'evt-01': { messages: [{ body: '{"orderId":17}', attributes: ATTRIBUTES }] },
  'evt-02-plain': { messages: [{ body: 'no attributes' }] },
  'evt-02-window': { messages: [{ body: 'no attributes' }], mapping: { MaximumBatchingWindowInSeconds: 1 } },
  'evt-03': { queue: { fifo: true }, messages: [{ body: 'first', groupId: 'g1', deduplicationId: 'd1' }] },
};

/** BAT-04: bodies of which one event cannot hold all. As plain text by their own length, as quotes because JSON doubles them. */
const LARGE: readonly (readonly [string, string, number])[] = [
  ['plain', 'x'.repeat(1_000_000), 8],
  ['escaped', '"'.repeat(450_000), 10],
];

let fleet: TestFleet;
const lanes = new Map<string, Lane>();
const lane = (name: string): Lane => lanes.get(name)!;
beforeAll(async () => {
  fleet = await TestFleet.open();
  for (const [name, options] of Object.entries(LANES)) lanes.set(name, await fleet.addLane(name, options));
  for (const [kind, body, count] of LARGE) {
    // One by one, because a batch of sends has to stay below the size of one message.
    for (let index = 0; index < count; index += 1) await fleet.queues.send(lane(`bat-04-${kind}`).queue, [{ body: `${index}${body}` }]);
  }
  await fleet.start();
});
afterAll(async () => expect(await fleet.close()).toEqual([0]));

const sizes = (name: string): number[] => fleet.functions.of(name).map(({ records }) => records.length);
const bodies = (name: string): string[] => fleet.functions.of(name).flatMap((invocation) => invocation.bodies);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((left, right) => left - right);

describe.concurrent('batches', () => {
  test.each(SIZES)('BAT-02 15 messages with BatchSize %i and a window are all delivered, and no batch is larger', async (size) => {
    await fleet.emptied(lane(`bat-02-${size}`).queue);
    expect(sorted(bodies(`bat-02-${size}`).map(Number))).toEqual(numbered(15).map(({ body }) => Number(body)));
    expect(Math.max(...sizes(`bat-02-${size}`))).toBeLessThanOrEqual(size);
  });

  test('BAT-02 one poller collects a batch of 15 from several receives', async () => {
    await fleet.emptied(lane('bat-02-alone').queue);
    expect(sizes('bat-02-alone')).toEqual([15]);
  });

  test('BAT-03 30 messages, BatchSize 20, MaximumConcurrency 2: all delivered by two invocations', async () => {
    await fleet.emptied(lane('bat-03').queue);
    expect(sorted(sizes('bat-03'))).toEqual([10, 20]);
    expect(Math.max(...fleet.functions.of('bat-03').map(({ running }) => running))).toBeLessThanOrEqual(2);
  });

  test.each(LARGE)('BAT-04 messages whose event (%s text) would exceed 6 MiB are split before the limit', async (kind, body, count) => {
    const name = `bat-04-${kind}`;
    await fleet.emptied(lane(name).queue);
    const invocations = fleet.functions.of(name);
    expect(invocations.length).toBeGreaterThan(1);
    expect(Math.max(...invocations.map(({ bytes }) => bytes))).toBeLessThanOrEqual(EVENT_BYTES_MAX);
    // The first batch was closed by its size: one more record would have been too much.
    expect(invocations[0]!.bytes + JSON.stringify(body).length).toBeGreaterThan(EVENT_BYTES_MAX);
    expect(sorted(bodies(name).map((text) => Number(text[0])))).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  test('BAT-06 without a window one message goes at once, before an earlier one of a mapping with a window', async () => {
    await fleet.queues.send(lane('bat-06-window').queue, [{ body: 'earlier' }]);
    await fleet.queues.send(lane('bat-06').queue, [{ body: 'later' }]);
    const [atOnce] = await fleet.functions.until('bat-06', (seen) => seen.length > 0);
    expect(fleet.functions.of('bat-06-window')).toEqual([]);
    const [waited] = await fleet.functions.until('bat-06-window', (seen) => seen.length > 0);
    expect([atOnce?.bodies, waited?.bodies]).toEqual([['later'], ['earlier']]);
  });
});

/** The only record of the only invocation of a lane. */
async function onlyRecord(name: string): Promise<SqsRecord> {
  const [invocation] = await fleet.functions.answered(name, 1);
  expect(invocation?.records).toHaveLength(1);
  expect(Object.keys(JSON.parse(invocation!.text) as object)).toEqual(['Records']);
  return invocation!.records[0]!;
}

describe.concurrent('the event', () => {
  test('EVT-01 has String, Number and Binary attributes as Lambda writes them', async () => {
    const record = await onlyRecord('evt-01');
    const lists = { stringListValues: [], binaryListValues: [] };
    expect(record).toEqual({
      messageId: lane('evt-01').ids[0],
      receiptHandle: expect.stringMatching(/./),
      body: '{"orderId":17}',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.stringMatching(/./),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        Author: { stringValue: 'Ada', ...lists, dataType: 'String' },
        Weeks: { stringValue: '6', ...lists, dataType: 'Number' },
        Blob: { binaryValue: '3q2+7w==', ...lists, dataType: 'Binary' },
      },
      md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
      md5OfBody: md5('{"orderId":17}'),
      eventSource: 'aws:sqs',
      eventSourceARN: lane('evt-01').queue.arn,
      awsRegion: 'us-east-1',
    });
  });

  test('EVT-02 of a message without attributes has no md5OfMessageAttributes, or null where there is a window', async () => {
    const plain = await onlyRecord('evt-02-plain');
    expect(plain).toMatchObject({ messageAttributes: {}, md5OfBody: md5('no attributes') });
    expect(plain).not.toHaveProperty('md5OfMessageAttributes');
    expect(await onlyRecord('evt-02-window')).toMatchObject({ messageAttributes: {}, md5OfMessageAttributes: null });
  });

  test('EVT-03 of a FIFO message carries sequence number, group and deduplication id as strings', async () => {
    const { attributes, eventSourceARN } = await onlyRecord('evt-03');
    expect(attributes).toMatchObject({
      MessageGroupId: 'g1',
      MessageDeduplicationId: 'd1',
      SequenceNumber: expect.stringMatching(/^\d+$/),
    });
    expect(Object.values(attributes).every((value) => typeof value === 'string')).toBe(true);
    expect(eventSourceARN).toBe(lane('evt-03').queue.arn);
  });
});
