import { expect, test } from 'vitest';
import { explainRecordMismatch } from './explain-record.ts';
import { parsePattern } from './parse-pattern.ts';
import type { RecordSource } from './record-filter.ts';

function failed(source: RecordSource, patternText: string, record: Readonly<Record<string, unknown>>): readonly unknown[] {
  const result = parsePattern(patternText);
  if (!result.ok) throw new Error(result.reason);
  const mismatch = explainRecordMismatch(source, result.pattern, record);
  if (mismatch.kind !== 'condition') throw new Error('several conditions');
  const { path, actual } = mismatch.condition;
  return [path, ...actual.leaves.map(({ text }) => text), ...(actual.container === undefined ? [] : [actual.container])];
}

const kinesis = { eventID: 's:1', kinesis: { partitionKey: 'k', data: btoa('{"n":12345678901234567890}') } };
const dynamodb = { eventName: 'MODIFY', dynamodb: { NewImage: { n: { N: '7' } } } };

test.each<[RecordSource, string, Readonly<Record<string, unknown>>, readonly unknown[]]>([
  ['sqs', '{"body":{"kind":["new"]}}', { messageId: 'm', body: '{"kind": "old"}' }, ['body.kind', '"old"']],
  ['sqs', '{"body":["a"]}', { messageId: 'm', body: 'b' }, ['body', '"b"']],
  ['sqs', '{"body":["42"]}', { body: '[42]' }, ['body', '"[42]"']],
  ['sqs', '{"messageId":["x"],"body":{"k":[1]}}', { messageId: 'm', body: 'b' }, ['messageId', '"m"']],
  ['kinesis', '{"data":{"n":[12345678901234567891]}}', kinesis, ['data.n', '12345678901234567890']],
  ['kinesis', '{"partitionKey":["other"]}', kinesis, ['partitionKey', '"k"']],
  ['dynamodb', '{"dynamodb":{"NewImage":{"n":{"N":["8"]}}}}', dynamodb, ['dynamodb.NewImage.n.N', '"7"']],
])('%s, %s: names the condition and what the matched document has there', (source, pattern, record, expected) => {
  expect(failed(source, pattern, record)).toEqual(expected);
});

test.each([
  ['a condition inside a body that is plain text', '{"body":{"k":[{"exists":false}]}}', 'text', ['body.k']],
  ['a condition on the text of a body that is a JSON object', '{"body":[{"exists":false}]}', '{}', ['body', 'object']],
])('%s fails, even one that nothing may be there', (_name, pattern, body, expected) => {
  expect(failed('sqs', pattern, { body })).toEqual(expected);
});
