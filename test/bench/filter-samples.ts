/** So many different events take turns, in three orders of keys, for queues seldom carry one kind of message. */
export const EVENT_KINDS = 16;

const TYPES = ['order.created', 'order.paid', 'order.packed', 'order.shipped', 'order.delivered'];
const REGIONS = ['eu-central-1', 'eu-west-1', 'ap-south-1'];

/** The JSON text of an event of about 1 KB. The number of its ledger entry is more than a double can hold. */
export function orderEvent(index: number): string {
  const rest: Record<string, unknown> = {
    version: 3,
    createdAt: `2026-11-24T01:00:${String(10 + index)}.000Z`,
    region: REGIONS[index % REGIONS.length],
    customer: {
      id: `c-${String(10_293 + index)}`,
      tier: index % 2 === 0 ? 'gold' : 'silver',
      email: `someone.${String(index)}@example.com`,
      address: { street: 'Long Street 12', city: 'Berlin', zip: '10115', country: 'DE', client: `10.0.${String(index)}.7` },
    },
    order: {
      number: 90_213 + index,
      total: 182.5 + index,
      currency: 'EUR',
      items: [
        { sku: 'A-100', quantity: 1, price: 82.5 },
        { sku: 'B-200', quantity: 2, price: 50 },
      ],
    },
    payment: { method: 'card', status: index % 2 === 0 ? 'authorized' : 'captured', attempts: 1 },
    flags: { gift: false, express: true },
    source: 'web',
    agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
    note: null,
    trace: '1-5759e988-bd862e3fe1be46a994272793',
    text: 'Please ring twice, the bell is quiet. '.repeat(4),
  };
  const head = { id: `0f3a9c1e-7f3b-4d2e-9a51-${String(100_000_000_000 + index)}`, type: TYPES[index % TYPES.length] };
  const body = index % 3 === 0 ? { ...head, ...rest } : index % 3 === 1 ? { ...rest, ...head } : { ...head, retry: true, ...rest };
  return `${JSON.stringify(body).slice(0, -1)},"ledger":9007199254740993${String(100 + index)}}`;
}

/** An SQS record with this body, as filters see it. */
export function orderRecord(body: unknown): object {
  return {
    messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
    receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1545082649183', SenderId: 'AIDAIENQZJOLO23YVJ4VO' },
    messageAttributes: {},
    md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:my-queue',
    awsRegion: 'us-east-2',
  };
}

/** A pattern of each kind. `exact:…` stands for a number of these digits. */
export const ONE_OF_EACH_KIND: Readonly<Record<string, object>> = {
  string: { type: ['order.cancelled'] },
  number: { order: { number: [1] } },
  exactNumber: { ledger: ['exact:9007199254740993007'] },
  null: { flags: { gift: [null] } },
  prefix: { region: [{ prefix: 'us-' }] },
  suffix: { type: [{ suffix: '.cancelled' }] },
  equalsIgnoreCase: { source: [{ 'equals-ignore-case': 'WEB SHOP' }] },
  wildcard: { agent: [{ wildcard: 'Mozilla/*Mac*Gecko*' }] },
  anythingBut: { payment: { status: [{ 'anything-but': ['authorized', 'captured'] }] } },
  numeric: { order: { total: [{ numeric: ['>=', 1000, '<', 5000] }] } },
  exists: { version: [{ exists: false }] },
  cidr: { customer: { address: { client: [{ cidr: '10.1.0.0/16' }] } } },
  or: { $or: [{ type: ['order.cancelled'] }, { source: ['pos'] }, { flags: { gift: [true] } }] },
  array: { order: { items: { sku: ['A-100'], quantity: [2] } } },
};

/** The filters of a mapping. */
export const FILTERS: readonly object[] = [
  { type: ['order.cancelled', 'order.refunded'] },
  { type: ['order.created'], order: { total: [{ numeric: ['>=', 1000] }] } },
  { region: [{ prefix: 'us-' }], customer: { tier: ['platinum'] } },
  { payment: { status: ['refused', 'disputed'] } },
  { source: ['pos'], flags: { express: [true] } },
];

/** Five more, as many as a mapping can have where the limit was raised. */
export const FURTHER_FILTERS: readonly object[] = [
  { type: [{ prefix: 'invoice.' }] },
  { customer: { address: { country: ['FR', 'IT', 'ES'] } } },
  { order: { currency: [{ 'anything-but': 'EUR' }] } },
  { payment: { attempts: [{ numeric: ['>', 3] }] } },
  { agent: [{ wildcard: '*bot*' }] },
];

/** A set as a router would have it: a pattern for each type of event and customer. */
export function routingPatterns(count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => ({
    type: [TYPES[index % TYPES.length]],
    customer: { id: [`c-${String(20_000 + index)}`] },
  }));
}
