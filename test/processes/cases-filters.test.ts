import type { TestMessage } from '@wherry/testkit/test-queues';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet, until, type Lane, type LaneOptions } from './fleet.ts';

/** One slot a lane is enough, and keeps the pollers light. */
const ALONE = { ScalingConfig: { MaximumConcurrency: 1 } };
const filtered = (...patterns: (string | object)[]): Record<string, unknown> => ({
  ...ALONE,
  FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) },
});
const bodies = (...texts: (string | object)[]): TestMessage[] =>
  texts.map((text) => ({ body: typeof text === 'string' ? text : JSON.stringify(text) }));

/** What one case sends, under which filters, and what the function shall see of it. */
interface FilterCase {
  readonly name: string;
  readonly patterns: readonly (string | object)[];
  readonly sent: readonly TestMessage[];
  /** Indexes into `sent`. */
  readonly delivered: readonly number[];
  readonly queue?: LaneOptions['queue'];
}

const TEXT = 'not JSON at all';
const ODD_BODY = '\t{ "kind" : "new", "n": 1.0, "id":1234567890123456789, "u":"\\u00e9éž€\\/", "kind":"new" }\n';

const CASES: readonly FilterCase[] = [
  {
    name: 'FLT-03 one value',
    patterns: [{ body: { kind: ['new'] } }],
    sent: bodies({ kind: 'new' }, { kind: 'old' }, { kind: 'New' }),
    delivered: [0],
  },
  {
    name: 'FLT-03 one value or another',
    patterns: ['{"body":{"kind":["new","changed"]}}'],
    sent: bodies({ kind: 'new' }, { kind: 'changed' }, { kind: 'old' }),
    delivered: [0, 1],
  },
  {
    name: 'FLT-03 one field and another',
    patterns: [{ body: { kind: ['new'], site: ['a'] } }],
    sent: bodies({ kind: 'new', site: 'a' }, { kind: 'new', site: 'b' }, { site: 'a' }),
    delivered: [0],
  },
  {
    name: 'FLT-03 exists',
    patterns: [{ body: { site: [{ exists: true }] } }],
    sent: bodies({ site: null }, { kind: 'new' }, { site: { id: 1 } }),
    delivered: [0],
  },
  {
    name: 'FLT-03 numeric above',
    patterns: [{ body: { total: [{ numeric: ['>', 100] }] } }],
    sent: bodies({ total: 101 }, { total: 100 }, { total: '101' }),
    delivered: [0],
  },
  {
    name: 'FLT-03 numeric below',
    patterns: [{ body: { total: [{ numeric: ['<', 100] }] } }],
    sent: bodies({ total: 99.5 }, { total: 100 }, {}),
    delivered: [0],
  },
  {
    name: 'FLT-03 numeric range',
    patterns: [{ body: { total: [{ numeric: ['>=', 100, '<', 200] }] } }],
    sent: bodies({ total: 100 }, { total: 200 }, '{"total":1.5e2}'),
    delivered: [0, 2],
  },
  {
    name: 'FLT-03 prefix',
    patterns: [{ body: { site: [{ prefix: 'eu-' }] } }],
    sent: bodies({ site: 'eu-west-1' }, { site: 'us-east-1' }),
    delivered: [0],
  },
  {
    name: 'FLT-04 plain bodies under a JSON pattern',
    patterns: [{ body: { kind: ['new'] } }],
    sent: bodies(TEXT, '{"kind":"new"', '"new"', '[{"kind":"new"}]'),
    delivered: [],
  },
  {
    name: 'FLT-05 JSON bodies under a pattern for plain text',
    patterns: [{ body: [TEXT, '{"kind":"new"}'] }],
    sent: bodies({ kind: 'new' }, TEXT),
    delivered: [1],
  },
  {
    name: 'FLT-06 two filters of which one matches',
    patterns: [{ body: { kind: ['new'] } }, { body: { total: [{ numeric: ['>', 100] }] } }],
    sent: bodies({ kind: 'new' }, { total: 101 }, { kind: 'old', total: 1 }, { kind: 'new', total: 101 }),
    delivered: [0, 1, 3],
  },
  { name: 'FLT-10 three messages of which one matches', patterns: [{ body: [TEXT] }], sent: bodies('a', TEXT, 'b'), delivered: [1] },
  { name: 'FLT-11 an odd body', patterns: ['{"body":{"kind":["new"]}}'], sent: bodies(ODD_BODY), delivered: [0] },
  {
    name: 'metadata',
    patterns: [{ messageAttributes: { tenant: { stringValue: ['gold'] } }, eventSourceARN: [{ prefix: 'arn:aws:sqs:us-east-1:' }] }],
    sent: ['gold', 'silver'].map((tenant) => ({ body: TEXT, attributes: { tenant: { DataType: 'String', StringValue: tenant } } })),
    delivered: [0],
  },
  {
    name: '19 digits',
    patterns: ['{"body":{"id":[1234567890123456789]}}'],
    sent: bodies('{"id":1234567890123456788}', '{"id":1234567890123456789}', '{"id":1234567890123456790}'),
    delivered: [1],
  },
  {
    name: 'a FIFO group in which most is filtered',
    queue: { fifo: true, visibilityTimeoutSeconds: 60 },
    patterns: [{ body: { wanted: [true] } }],
    sent: Array.from({ length: 12 }, (_, order) => ({ groupId: 'g', body: JSON.stringify({ order, wanted: order % 4 === 3 }) })),
    delivered: [3, 7, 11],
  },
];

let fleet: TestFleet;
const lanes = new Map<string, Lane>();
const laneOf = (name: string): Lane => lanes.get(name)!;
const delivered = (name: string): string[] => fleet.functions.of(laneOf(name).name).flatMap((invocation) => invocation.bodies);

const counter = (name: string, what: string): Promise<number> => fleet.metric(`wherry_events_${what}_total`, laneOf(name).name);

beforeAll(async () => {
  fleet = await TestFleet.open();
  for (const [index, { name, patterns, sent, queue }] of CASES.entries()) {
    lanes.set(name, await fleet.addLane(`filter-${index}`, { mapping: filtered(...patterns), messages: sent, ...(queue && { queue }) }));
  }
  lanes.set(
    'reload',
    await fleet.addLane('reload', { mapping: filtered({ body: { kind: ['a'] } }), messages: bodies({ kind: 'a' }, { kind: 'b' }) }),
  );
  await fleet.start();
});
afterAll(async () => expect(await fleet.close()).toEqual([0]));

describe.concurrent('filters', () => {
  test.each(CASES)('$name: what matches is delivered, the rest is deleted', async ({ name, sent, delivered: expected }) => {
    const { queue } = laneOf(name);
    await fleet.emptied(queue);
    const texts = expected.map((index) => sent[index]?.body);
    // A standard queue hands its messages out in any order.
    expect(new Set(delivered(name))).toEqual(new Set(texts));
    expect(delivered(name)).toHaveLength(texts.length);
    if (queue.name.endsWith('.fifo')) expect(delivered(name)).toEqual(texts);
    expect(await counter(name, 'filtered')).toBe(sent.length - expected.length);
    expect(await counter(name, 'invoked')).toBe(expected.length);
  });
});

test('FLT-10 polled 3, filtered 2, invoked 1, deleted 3, in the metrics and in the status', async () => {
  const name = 'FLT-10 three messages of which one matches';
  await until(
    () => counter(name, 'deleted'),
    (deleted) => deleted === 3,
  );
  expect(await Promise.all(['polled', 'filtered', 'invoked'].map((what) => counter(name, what)))).toEqual([3, 2, 1]);
  const status = await fleet.pollers[0]!.status();
  const mapping = status.mappings.find((one) => one.name === laneOf(name).name);
  expect(mapping?.totals).toMatchObject({ polled: 3, filtered: 2, invoked: 1, deleted: 3 });
});

test('a reload that changes the filter decides over all that is sent after it', async () => {
  const { queue } = laneOf('reload');
  await fleet.emptied(queue);
  fleet.changeMapping('reload', filtered({ body: { kind: ['b'] } }));
  await fleet.reload();
  await fleet.queues.send(queue, bodies({ kind: 'a', turn: 2 }, { kind: 'b', turn: 2 }));
  await fleet.emptied(queue);
  expect(delivered('reload')).toEqual(['{"kind":"a"}', '{"kind":"b","turn":2}']);
});
