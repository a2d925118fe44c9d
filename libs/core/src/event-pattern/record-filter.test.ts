import { describe, expect, it } from 'vitest';
import { parsePattern } from './parse-pattern.ts';
import type { EventPattern } from './pattern.ts';
import { type EventRecord, type RecordSource, createRecordFilter, matchedDocument, refusedField } from './record-filter.ts';

function pattern(text: string): EventPattern {
  const read = parsePattern(text);
  if (!read.ok) throw new Error(`${read.reason} at ${read.offset}: ${text}`);
  return read.pattern;
}

const ARN = 'arn:aws:sqs:us-east-1:000000000000:orders';

function sqsRecord(body: string): EventRecord {
  return {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1789651650123', SenderId: 'AIDAEXAMPLEID' },
    messageAttributes: { Author: { stringValue: 'Ada', stringListValues: [], binaryListValues: [], dataType: 'String' } },
    md5OfBody: '1d50b4b0c8c1a4d5c5f2a0a5e7d9e0b3',
    eventSource: 'aws:sqs',
    eventSourceARN: ARN,
    awsRegion: 'us-east-1',
  };
}

function kinesisRecord(data: string | Uint8Array): EventRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: 'user-7',
      sequenceNumber: '49668000000000000000000000000000000000000000000000000001',
      data: Buffer.from(data).toString('base64'),
      approximateArrivalTimestamp: 1789651650.123,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: 'shardId-000000000000:49668000000000000000000000000000000000000000000000000001',
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/esm-role',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks',
  };
}

function dynamodbRecord(eventName: string, newImage: unknown): EventRecord {
  return {
    eventID: '3b6a1b7c5f0d4a0e9d6b2c1a8e7f6543',
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: 1789651658,
      Keys: { pk: { S: 'a' } },
      NewImage: newImage,
      SequenceNumber: '111',
      SizeBytes: 59,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  };
}

const matches = (source: RecordSource, patterns: readonly string[], record: EventRecord): boolean =>
  createRecordFilter(source, patterns.map(pattern))(record);

const JSON_BODY = '{"kind":"new","total":120}';
const ONLY_TEXT = '{"body":["abc"]}';
const ONLY_JSON = '{"body":{"kind":["new"]}}';
const ONLY_METADATA = '{"messageAttributes":{"Author":{"stringValue":["Ada"]}}}';
const OTHER_METADATA = '{"messageAttributes":{"Author":{"stringValue":["Bob"]}}}';

describe('form of an SQS body against form of a pattern', () => {
  it.each<[rule: string, body: string, patterns: readonly string[], expected: boolean]>([
    ['plain text, list of texts', 'abc', [ONLY_TEXT], true],
    ['another plain text, list of texts', 'abd', [ONLY_TEXT], false],
    ['plain text, operators on text', 'abc', ['{"body":[{"prefix":"ab"}]}'], true],
    ['plain text, metadata alone', 'abc', [ONLY_METADATA], true],
    ['plain text, other metadata alone', 'abc', [OTHER_METADATA], false],
    ['plain text, JSON object', 'abc', [ONLY_JSON], false],
    ['plain text, JSON object that wants a field to be absent', 'abc', ['{"body":{"kind":[{"exists":false}]}}'], false],
    ['invalid JSON, JSON object', '{"kind":"new"', [ONLY_JSON], false],
    ['invalid JSON, JSON object that wants a field to be absent', '{"kind":"new"', ['{"body":{"x":[{"exists":false}]}}'], false],
    ['invalid JSON, list of texts', '{"kind":', ['{"body":[{"prefix":"{"}]}'], true],
    ['JSON object, JSON object', JSON_BODY, [ONLY_JSON], true],
    ['JSON object with space around it, JSON object', ` \t\r\n${JSON_BODY}\n`, [ONLY_JSON], true],
    ['another JSON object, JSON object', '{"kind":"old"}', [ONLY_JSON], false],
    ['JSON object without the field, pattern that wants it absent', '{}', ['{"body":{"kind":[{"exists":false}]}}'], true],
    ['JSON object, metadata alone', JSON_BODY, [ONLY_METADATA], true],
    ['JSON object, list of texts', JSON_BODY, [ONLY_TEXT], false],
    ['JSON object, the very same text', JSON_BODY, [JSON.stringify({ body: [JSON_BODY] })], false],
    ['JSON object, any text', JSON_BODY, ['{"body":[{"exists":true}]}'], false],
    ['JSON object, no text', JSON_BODY, ['{"body":[{"exists":false}]}'], false],
    ['JSON object, any text but one', JSON_BODY, ['{"body":[{"anything-but":["x"]}]}'], false],
    ['JSON number is plain text', '42', ['{"body":["42"]}'], true],
    ['JSON number is no number', '42', ['{"body":[42]}'], false],
    ['JSON string is plain text, quotes included', '"x"', [String.raw`{"body":["\"x\""]}`], true],
    ['JSON list is plain text', '[{"kind":"new"}]', ['{"body":["[{\\"kind\\":\\"new\\"}]"]}'], true],
    ['JSON list, JSON object', '[{"kind":"new"}]', [ONLY_JSON], false],
    ['JSON in a JSON text is not parsed', '{"detail":"{\\"kind\\":\\"new\\"}"}', ['{"body":{"detail":{"kind":["new"]}}}'], false],
    ['empty body, empty text', '', ['{"body":[""]}'], true],
    ['dotted key into the body', JSON_BODY, ['{"body.kind":["new"]}'], true],
    ['dotted key into a plain body', 'abc', ['{"body.kind":[{"exists":false}]}'], false],
  ])('%s', (_rule, body, patterns, expected) => {
    expect(matches('sqs', patterns, sqsRecord(body))).toBe(expected);
  });
});

describe('several filters', () => {
  it.each<[rule: string, body: string, patterns: readonly string[], expected: boolean]>([
    ['FLT-06 two JSON filters, one matches', JSON_BODY, ['{"body":{"kind":["old"]}}', ONLY_JSON], true],
    ['a text filter beside a JSON filter, text body', 'abc', [ONLY_TEXT, ONLY_JSON], true],
    ['a text filter beside a JSON filter, JSON body', JSON_BODY, [ONLY_TEXT, ONLY_JSON], true],
    ['a text filter beside a JSON filter, neither', '{"kind":"old"}', [ONLY_TEXT, ONLY_JSON], false],
    ['metadata in one filter makes up for the other form in the next', 'abc', [ONLY_JSON, ONLY_METADATA], true],
    ['metadata and body in one filter: both', JSON_BODY, [`{"awsRegion":["us-east-1"],"body":{"kind":["new"]}}`], true],
    ['metadata and body in one filter: only the body', JSON_BODY, [`{"awsRegion":["eu-west-1"],"body":{"kind":["new"]}}`], false],
    ['metadata and body in one filter: only the metadata', 'abc', [`{"awsRegion":["us-east-1"],"body":{"kind":["new"]}}`], false],
    ['a body of either form in one $or, text', 'abc', ['{"$or":[{"body":["abc"]},{"body":{"kind":["new"]}}]}'], true],
    ['a body of either form in one $or, JSON', JSON_BODY, ['{"$or":[{"body":["abc"]},{"body":{"kind":["new"]}}]}'], true],
    ['an $or inside the body, text', 'abc', ['{"body":{"$or":[{"a":[{"exists":false}]},{"b":["x"]}]}}'], false],
    ['an $or inside the body, JSON', JSON_BODY, ['{"body":{"$or":[{"kind":["old"]},{"total":[{"numeric":[">",100]}]}]}}'], true],
    ['no filter at all', JSON_BODY, [], true],
  ])('%s', (_rule, body, patterns, expected) => {
    expect(matches('sqs', patterns, sqsRecord(body))).toBe(expected);
  });

  it('an $or whose alternative replaces a condition beside it is not cut short by the metadata alone', () => {
    const replaced = '{"awsRegion":["eu-west-1"],"$or":[{"awsRegion":["us-east-1"],"body":{"kind":["new"]}},{"body":{"kind":["old"]}}]}';
    expect(matches('sqs', [replaced], sqsRecord(JSON_BODY))).toBe(true);
  });
});

/** A record that counts how often its body is looked at. */
function counted(body: string): { record: EventRecord; reads: () => number } {
  let reads = 0;
  const record = Object.defineProperty({ ...sqsRecord('') }, 'body', {
    enumerable: false,
    get: () => {
      reads += 1;
      return body;
    },
  });
  return { record, reads: () => reads };
}

describe('when the body is read', () => {
  it.each<[rule: string, patterns: readonly string[], reads: number]>([
    ['no pattern touches it', [ONLY_METADATA, OTHER_METADATA], 0],
    ['another filter matched without it', [ONLY_JSON, ONLY_METADATA], 0],
    ['the metadata of the only filter that touches it do not match', ['{"awsRegion":["eu-west-1"],"body":{"kind":["new"]}}'], 0],
    ['five filters touch it', Array.from({ length: 5 }, (_, index) => `{"body":{"kind":["${index}"]}}`), 1],
    ['filters want it in both forms', [ONLY_TEXT, ONLY_JSON, '{"body":{"total":[120]}}'], 1],
  ])('%s: %#', (_rule, patterns, expected) => {
    const { record, reads } = counted(JSON_BODY);
    createRecordFilter('sqs', patterns.map(pattern))(record);
    expect(reads()).toBe(expected);
  });

  it('leaves the record as it is', () => {
    const record = Object.freeze(sqsRecord(JSON_BODY));
    expect(matches('sqs', [ONLY_JSON], record)).toBe(true);
    expect(record).toEqual(sqsRecord(JSON_BODY));
  });
});

describe('bodies that are made to do harm', () => {
  it.each<[what: string, body: string, patterns: readonly string[], expected: boolean]>([
    ['a 19-digit id is told from its neighbour', '{"id":1234567890123456789}', ['{"body":{"id":[1234567890123456789]}}'], true],
    ['the neighbour of a 19-digit id is another one', '{"id":1234567890123456788}', ['{"body":{"id":[1234567890123456789]}}'], false],
    ['__proto__ is a key like any other', '{"__proto__":{"kind":"new"}}', [ONLY_JSON], false],
    ['what every object inherits is not there', '{}', ['{"body":{"constructor":{"name":[{"exists":true}]}}}'], false],
    ['nesting 100,000 deep', `{"kind":"new","deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, [ONLY_JSON], true],
    ['a text of 1 MiB', `{"kind":"new","fill":"${'x'.repeat(1_048_576)}"}`, [ONLY_JSON], true],
    ['space of 1 MiB in front', `${' '.repeat(1_048_576)}{"kind":"new"}`, [ONLY_JSON], true],
  ])('%s', (_what, body, patterns, expected) => {
    expect(matches('sqs', patterns, sqsRecord(body))).toBe(expected);
  });

  it('a 19-digit id is found in a body that is nested 100,000 deep', () => {
    const body = `{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},"id":1234567890123456789}`;
    expect(matches('sqs', ['{"body":{"id":[1234567890123456789]}}'], sqsRecord(body))).toBe(true);
  });
});

describe('Kinesis', () => {
  it.each<[rule: string, data: string | Uint8Array, patterns: readonly string[], expected: boolean]>([
    ['FLT-07 data that matches', '{"event_type":"a"}', ['{"data":{"event_type":["a"]}}'], true],
    ['FLT-07 data of the other mapping', '{"event_type":"b"}', ['{"data":{"event_type":["a"]}}'], false],
    ['the partition key stands beside the data', '{"event_type":"a"}', ['{"partitionKey":["user-7"],"data":{"event_type":["a"]}}'], true],
    ['another partition key', '{"event_type":"a"}', ['{"partitionKey":["user-8"],"data":{"event_type":["a"]}}'], false],
    ['fields of the record itself', 'anything', ['{"eventName":["aws:kinesis:record"],"partitionKey":[{"prefix":"user-"}]}'], true],
    ['the arrival is a number', 'anything', ['{"approximateArrivalTimestamp":[{"numeric":[">",1789651650]}]}'], true],
    ['data that is not JSON', 'abc', ['{"data":{"k":[{"exists":false}]}}'], false],
    ['text beyond ASCII', '{"name":"Žofie 🚣"}', ['{"data":{"name":["Žofie 🚣"]}}'], true],
    ['data that is not UTF-8 somewhere else', Buffer.from('{"name":"\xff","kind":"new"}', 'latin1'), ['{"data":{"kind":["new"]}}'], true],
    ['data that is not UTF-8 at all', new Uint8Array([0xff, 0xfe, 0x00, 0x80]), ['{"data":{"kind":["new"]}}'], false],
    ['no data', '', ['{"data":{"kind":[{"exists":false}]}}'], false],
  ])('%s', (_rule, data, patterns, expected) => {
    expect(matches('kinesis', patterns, kinesisRecord(data))).toBe(expected);
  });

  it('refuses a pattern that takes the data for plain text, wherever it stands', () => {
    expect(refusedField('kinesis', pattern('{"data":["abc"]}'))).toMatchObject({ path: 'data', offset: 8 });
    expect(refusedField('kinesis', pattern('{"$or":[{"partitionKey":["a"]},{"data":["abc"]}]}'))?.path).toBe('data');
    expect(refusedField('kinesis', pattern('{"data":{"data":["abc"]}}'))).toBeUndefined();
    expect(refusedField('sqs', pattern('{"body":["abc"]}'))).toBeUndefined();
  });
});

describe('DynamoDB', () => {
  const item = { id: { S: 'id_value' }, presentKey: { S: 'presentValue' }, total: { N: '42' } };
  const other = { id: { S: 'id_value2' } };
  it.each<[rule: string, pattern: string, matching: number]>([
    ['FLT-08 the event name', '{"eventName":["INSERT"]}', 2],
    ['FLT-09 a value of an attribute', '{"dynamodb":{"NewImage":{"presentKey":{"S":["presentValue"]}}}}', 1],
    ['FLT-09 an attribute that exists', '{"dynamodb":{"NewImage":{"presentKey":{"S":[{"exists":true}]}}}}', 1],
    ['FLT-09 exists: false on an object', '{"dynamodb":{"NewImage":{"presentKey":[{"exists":false}]}}}', 2],
    ['FLT-09 numeric on N, which is a text', '{"dynamodb":{"NewImage":{"total":{"N":[{"numeric":[">",10]}]}}}}', 0],
    ['FLT-09 alternatives on N', '{"dynamodb":{"NewImage":{"total":{"N":[{"numeric":[">",10]},{"anything-but":"101"}]}}}}', 1],
    ['FLT-09 a prefix', '{"dynamodb":{"NewImage":{"presentKey":{"S":[{"prefix":"present"}]}}}}', 1],
    ['FLT-09 the time of creation is a number', '{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">",0]}]}}', 2],
  ])('%s', (_rule, text, matching) => {
    const matched = [item, other].filter((image) => matches('dynamodb', [text], dynamodbRecord('INSERT', image)));
    expect(matched).toHaveLength(matching);
  });
});

it('shows the document that is matched', () => {
  expect(matchedDocument('sqs', sqsRecord(JSON_BODY))).toEqual({ ...sqsRecord(''), body: { kind: 'new', total: 120 } });
  expect(matchedDocument('sqs', sqsRecord('abc'))['body']).toBe('abc');
  const kinesis = matchedDocument('kinesis', kinesisRecord('{"a":1}'));
  expect(kinesis).toMatchObject({ data: { a: 1 }, partitionKey: 'user-7', eventName: 'aws:kinesis:record' });
  expect(kinesis).not.toHaveProperty('kinesis');
});
