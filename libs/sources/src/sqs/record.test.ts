import type { Message } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { createRecordWriter } from './record.ts';

const eventSourceArn = 'arn:aws:sqs:eu-west-1:000000000000:orders';
const write = createRecordWriter({ eventSourceArn, maximumBatchingWindowInSeconds: 0 });
const writeWithWindow = createRecordWriter({ eventSourceArn, maximumBatchingWindowInSeconds: 1 });

/** What SQS hands out; the attributes deliberately in another order than Lambda's. */
function received(changes: Partial<Message> = {}): Message {
  return {
    MessageId: '0f8e5c2a-6a0b-4f57-9b46-2f6f4f3d7a11',
    ReceiptHandle: 'AQEBexample==',
    MD5OfBody: '1d50b4b0c8c1a4d5c5f2a0a5e7d9e0b3',
    Body: '{"orderId":17}',
    Attributes: {
      SenderId: 'AIDAEXAMPLEID',
      ApproximateFirstReceiveTimestamp: '1789651650131',
      ApproximateReceiveCount: '1',
      SentTimestamp: '1789651650123',
    },
    ...changes,
  };
}

const tail = `"eventSource":"aws:sqs","eventSourceARN":"${eventSourceArn}","awsRegion":"eu-west-1"}`;
const head = '{"messageId":"0f8e5c2a-6a0b-4f57-9b46-2f6f4f3d7a11","receiptHandle":"AQEBexample=="';
const plainAttributes =
  '{"ApproximateReceiveCount":"1","SentTimestamp":"1789651650123","SenderId":"AIDAEXAMPLEID","ApproximateFirstReceiveTimestamp":"1789651650131"}';
const md5OfBody = '"md5OfBody":"1d50b4b0c8c1a4d5c5f2a0a5e7d9e0b3"';

test('EVT-01 String, Number and Binary attributes stand in the record as Lambda writes them, key order included', () => {
  const message = received({
    Attributes: { ...received().Attributes, AWSTraceHeader: 'Root=1-66f0aaaa-0123456789abcdef01234567;Sampled=1' },
    MessageAttributes: {
      Author: { DataType: 'String', StringValue: 'Ada' },
      Weeks: { DataType: 'Number', StringValue: '6' },
      Blob: { DataType: 'Binary', BinaryValue: new Uint8Array([0xde, 0xad, 0xbe, 0xef]) },
    },
    MD5OfMessageAttributes: 'd25a6aea97eb8f585bfa92d314504a92',
  });
  expect(write(message)).toBe(
    `${head},"body":"{\\"orderId\\":17}","attributes":{"ApproximateReceiveCount":"1",` +
      `"AWSTraceHeader":"Root=1-66f0aaaa-0123456789abcdef01234567;Sampled=1","SentTimestamp":"1789651650123",` +
      `"SenderId":"AIDAEXAMPLEID","ApproximateFirstReceiveTimestamp":"1789651650131"},` +
      `"messageAttributes":{"Author":{"stringValue":"Ada","stringListValues":[],"binaryListValues":[],"dataType":"String"},` +
      `"Weeks":{"stringValue":"6","stringListValues":[],"binaryListValues":[],"dataType":"Number"},` +
      `"Blob":{"binaryValue":"3q2+7w==","stringListValues":[],"binaryListValues":[],"dataType":"Binary"}},` +
      `"md5OfMessageAttributes":"d25a6aea97eb8f585bfa92d314504a92",${md5OfBody},${tail}`,
  );
});

describe('EVT-02 md5OfMessageAttributes of a message without attributes', () => {
  test('is absent when the mapping has no batching window', () => {
    expect(write(received())).toBe(
      `${head},"body":"{\\"orderId\\":17}","attributes":${plainAttributes},"messageAttributes":{},${md5OfBody},${tail}`,
    );
  });

  test('is null when the mapping has one', () => {
    expect(writeWithWindow(received())).toBe(
      `${head},"body":"{\\"orderId\\":17}","attributes":${plainAttributes},"messageAttributes":{},` +
        `"md5OfMessageAttributes":null,${md5OfBody},${tail}`,
    );
  });

  test('is what SQS says as soon as there are attributes, with a window too', () => {
    const message = received({ MessageAttributes: { A: { DataType: 'String', StringValue: 'a' } }, MD5OfMessageAttributes: 'abc' });
    expect(JSON.parse(writeWithWindow(message))).toMatchObject({ md5OfMessageAttributes: 'abc' });
  });
});

test('EVT-03 a FIFO message has three more attributes, all of them strings, between SentTimestamp and SenderId', () => {
  const fifo = { MessageDeduplicationId: 'd-1', MessageGroupId: 'customer-7', SequenceNumber: '18849496460467696128' };
  const record = JSON.parse(write(received({ Attributes: { ...fifo, ...received().Attributes } }))) as { attributes: object };
  expect(Object.entries(record.attributes)).toEqual([
    ['ApproximateReceiveCount', '1'],
    ['SentTimestamp', '1789651650123'],
    ['SequenceNumber', '18849496460467696128'],
    ['MessageGroupId', 'customer-7'],
    ['MessageDeduplicationId', 'd-1'],
    ['SenderId', 'AIDAEXAMPLEID'],
    ['ApproximateFirstReceiveTimestamp', '1789651650131'],
  ]);
});

function attributesOf(extra: Record<string, string>): object {
  const record = JSON.parse(write(received({ Attributes: { ...extra, ...received().Attributes } }))) as { attributes: object };
  return record.attributes;
}

describe('system attributes', () => {
  test('DeadLetterQueueSourceArn is passed on behind the ordered ones', () => {
    const source = 'arn:aws:sqs:eu-west-1:000000000000:first';
    expect(Object.entries(attributesOf({ DeadLetterQueueSourceArn: source })).at(-1)).toEqual(['DeadLetterQueueSourceArn', source]);
  });

  test('MessageGroupId of a standard queue is passed on', () => {
    expect(attributesOf({ MessageGroupId: 'tenant-1' })).toHaveProperty('MessageGroupId', 'tenant-1');
  });

  test('SqsManagedSseEnabled belongs to the queue and is left out', () => {
    expect(attributesOf({ SqsManagedSseEnabled: 'true' })).not.toHaveProperty('SqsManagedSseEnabled');
  });

  test('a message without any has an empty object', () => {
    expect(write({ ...received(), Attributes: {} })).toContain('"attributes":{},');
  });
});

describe('message attributes', () => {
  test.each([
    ['String.email', { StringValue: 'a@b.c' }, { stringValue: 'a@b.c' }],
    ['Number.int', { StringValue: '12.34' }, { stringValue: '12.34' }],
    ['Binary.png', { BinaryValue: new Uint8Array([1, 2, 3]) }, { binaryValue: 'AQID' }],
    ['Binary', { BinaryValue: new Uint8Array() }, { binaryValue: '' }],
    // A server that fills both: the data type decides.
    ['Binary', { BinaryValue: new Uint8Array([1]), StringValue: '' }, { binaryValue: 'AQ==' }],
  ])('%s keeps its label and shows only the value that applies', (dataType, value, scalar) => {
    const record: unknown = JSON.parse(write(received({ MessageAttributes: { A: { DataType: dataType, ...value } } })));
    expect(record).toHaveProperty('messageAttributes.A', { ...scalar, stringListValues: [], binaryListValues: [], dataType });
  });

  test('bytes that are a window into a larger buffer are cut at its edges', () => {
    const window = new Uint8Array([9, 9, 1, 2, 3, 9]).subarray(2, 5);
    expect(write(received({ MessageAttributes: { A: { DataType: 'Binary', BinaryValue: window } } }))).toContain('"binaryValue":"AQID"');
  });
});

describe('body', () => {
  test.each([
    ['empty', ''],
    ['not ASCII', 'Grüße, 世界, 🚣'],
    ['control characters and quotes', '\u0000\t\n\u001f"\\\u2028\u007f'],
    ['text that looks like JSON with wild spacing', ' { "a" : 1.0 , "a" : 2 } '],
    ['a lone surrogate', 'half of a pair: \ud83d.'],
  ])('is the unmodified string: %s', (_name, body) => {
    const record = write(received({ Body: body }));
    expect(JSON.parse(record)).toHaveProperty('body', body);
    // What is sent are UTF-8 bytes; an unescaped lone surrogate would not survive them.
    expect(Buffer.from(record).toString()).toBe(record);
  });
});
