import { describe, expect, test } from 'vitest';
import type { PlainDynamoDbRecord } from './plain-answer.ts';
import { createRecordWriter } from './record.ts';

const eventSourceArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-09-17T12:49:54.528';
const write = createRecordWriter(eventSourceArn);

const newImage = {
  pk: { S: 'a' },
  n: { N: '2' },
  tags: { SS: ['x', 'y'] },
  nums: { NS: ['1', '2.5'] },
  bin: { B: '3q2+7w==' },
  bins: { BS: ['AQI=', 'Aw=='] },
  ok: { BOOL: true },
  nil: { NULL: true },
  list: { L: [{ S: 'q' }, { N: '3' }] },
  map: { M: { k: { S: 'v' } } },
};

/** What DynamoDB hands out; the members deliberately in another order than Lambda's. */
function received(
  changes: Partial<PlainDynamoDbRecord> = {},
  dynamodb: Partial<PlainDynamoDbRecord['dynamodb']> = {},
): PlainDynamoDbRecord {
  return {
    awsRegion: 'us-east-1',
    eventSource: 'aws:dynamodb',
    eventVersion: '1.1',
    eventName: 'MODIFY',
    eventID: '3b6a1b7c5f0d4a0e9d6b2c1a8e7f6543',
    ...changes,
    dynamodb: {
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      SizeBytes: 59,
      SequenceNumber: '111',
      OldImage: { pk: { S: 'a' }, n: { N: '1' } },
      NewImage: newImage,
      Keys: { pk: { S: 'a' } },
      ApproximateCreationDateTime: 1789651658,
      ...dynamodb,
    },
  };
}

function parse(record: PlainDynamoDbRecord): { eventName: string; dynamodb: object } {
  return JSON.parse(write(record).recordJson) as { eventName: string; dynamodb: object };
}

test('EVT-06 a record stands in the event as Lambda writes it, every type of attribute and key order included', () => {
  const recordJson =
    '{"eventID":"3b6a1b7c5f0d4a0e9d6b2c1a8e7f6543","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",' +
    '"dynamodb":{"ApproximateCreationDateTime":1789651658,"Keys":{"pk":{"S":"a"}},' +
    '"NewImage":{"pk":{"S":"a"},"n":{"N":"2"},"tags":{"SS":["x","y"]},"nums":{"NS":["1","2.5"]},' +
    '"bin":{"B":"3q2+7w=="},"bins":{"BS":["AQI=","Aw=="]},"ok":{"BOOL":true},"nil":{"NULL":true},' +
    '"list":{"L":[{"S":"q"},{"N":"3"}]},"map":{"M":{"k":{"S":"v"}}}},' +
    '"OldImage":{"pk":{"S":"a"},"n":{"N":"1"}},"SequenceNumber":"111","SizeBytes":59,"StreamViewType":"NEW_AND_OLD_IMAGES"},' +
    `"eventSourceARN":"${eventSourceArn}"}`;
  expect(write(received())).toEqual({
    sequenceNumber: '111',
    arrivedAtMs: 1789651658000,
    orderKey: '{"pk":{"S":"a"}}',
    recordJson,
    recordBytes: Buffer.byteLength(recordJson),
  });
});

describe('EVT-05 images', () => {
  test.each<[string, Partial<PlainDynamoDbRecord['dynamodb']>, string[]]>([
    ['INSERT', { OldImage: undefined }, ['NewImage']],
    ['MODIFY', {}, ['NewImage', 'OldImage']],
    ['REMOVE', { NewImage: undefined }, ['OldImage']],
    ['MODIFY', { NewImage: undefined, OldImage: undefined, StreamViewType: 'KEYS_ONLY' }, []],
  ])('of %s that are not there have no key: %o', (eventName, dynamodb, images) => {
    const record = parse(received({ eventName }, dynamodb));
    expect(record.eventName).toBe(eventName);
    expect(Object.keys(record.dynamodb).filter((name) => name.endsWith('Image'))).toEqual(images);
  });

  test('that are empty stay', () => {
    expect(parse(received({}, { OldImage: {} })).dynamodb).toMatchObject({ OldImage: {} });
  });
});

test('EVT-07 a deletion by time to live says so in lower camel case, and no other record has that key', () => {
  const deleted = received({ eventName: 'REMOVE', userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' } });
  expect(write(deleted).recordJson).toContain(
    '"StreamViewType":"NEW_AND_OLD_IMAGES"},"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventSourceARN":',
  );
  expect(parse(received())).not.toHaveProperty('userIdentity');
});

test.each([
  [1789651658, 1789651658, 1789651658000],
  [1.789651658e9, 1789651658, 1789651658000],
  [1789651658.75, 1789651658, 1789651658750],
])('a time of %d s is shown as %d', (sent, shown, arrivedAtMs) => {
  const record = received({}, { ApproximateCreationDateTime: sent });
  expect(write(record).arrivedAtMs).toBe(arrivedAtMs);
  expect(parse(record).dynamodb).toMatchObject({ ApproximateCreationDateTime: shown });
});

describe('the order key', () => {
  test('is the same in whichever order the attributes of the key came', () => {
    const keys = { sk: { N: '7' }, pk: { B: 'AQI=' } };
    const turned = { pk: { B: 'AQI=' }, sk: { N: '7' } };
    const orderKeys = [keys, turned].map((Keys) => write(received({}, { Keys })).orderKey);
    expect(orderKeys).toEqual(Array(2).fill('{"pk":{"B":"AQI="},"sk":{"N":"7"}}'));
  });

  test('tells a text from a number', () => {
    const keys = [{ pk: { S: '7' } }, { pk: { N: '7' } }];
    expect(new Set(keys.map((Keys) => write(received({}, { Keys })).orderKey)).size).toBe(2);
  });
});

test('what an emulator says of itself is passed on, and what it leaves out is filled in', () => {
  const strange = parse(
    received({ eventName: 'UNKNOWN_TO_SDK_VERSION', awsRegion: 'ddblocal', eventVersion: undefined, eventSource: undefined }),
  );
  expect(strange).toMatchObject({
    eventName: 'UNKNOWN_TO_SDK_VERSION',
    awsRegion: 'ddblocal',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
  });
  expect(parse(received({ eventID: undefined, awsRegion: undefined }))).toMatchObject({ awsRegion: 'us-east-1' });
});
