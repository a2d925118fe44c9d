import type { QueueMessage } from '@wherry/core/queue-source';
import { sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { expect, it } from 'vitest';
import { createMessageFilter, createStreamFilter } from './message-filter.ts';

const message = (recordJson: string): QueueMessage => ({
  messageId: 'm-1',
  receiptHandle: 'r-1',
  recordJson,
  recordBytes: recordJson.length,
  sentAtMs: 0,
  receiveCount: 1,
  visibleAgainAtMs: 0,
});

it('matches the record that the function gets, its body parsed, and touches nothing of it', () => {
  const matches = createMessageFilter(sampleMapping({ filterPatterns: ['{"body":{"kind":["new"]},"eventSource":["aws:sqs"]}'] }));
  const wanted = Object.freeze(message('{"body":"{\\"kind\\":\\"new\\"}","eventSource":"aws:sqs"}'));
  expect(matches?.(wanted)).toBe(true);
  expect(matches?.(message('{"body":"{\\"kind\\":\\"old\\"}","eventSource":"aws:sqs"}'))).toBe(false);
});

it('is nothing where a mapping has no filters, so that no record is read back for it', () => {
  expect(createMessageFilter(sampleMapping({ filterPatterns: [] }))).toBeUndefined();
});

it('refuses to exist with a pattern that cannot be read, rather than to drop messages', () => {
  expect(() => createMessageFilter(sampleMapping({ filterPatterns: ['{"body":[]}'] }))).toThrow(/cannot be used/);
});

const record = (recordJson: string) => ({
  sequenceNumber: '1',
  arrivedAtMs: 0,
  orderKey: 'k',
  recordJson,
  recordBytes: recordJson.length,
});

it('FLT-07 FLT-08 matches the records of streams by their own rules', () => {
  const kinesis = createStreamFilter(sampleStreamMapping({ filterPatterns: ['{"data":{"event_type":["a"]}}'] }));
  const data = (text: string) => record(JSON.stringify({ kinesis: { data: btoa(text) }, eventSource: 'aws:kinesis' }));
  expect([kinesis?.(data('{"event_type":"a"}')), kinesis?.(data('{"event_type":"b"}')), kinesis?.(data('text'))]).toEqual([
    true,
    false,
    false,
  ]);
  const dynamodb = createStreamFilter(sampleStreamMapping({ source: 'dynamodb', filterPatterns: ['{"eventName":["INSERT"]}'] }));
  expect([dynamodb?.(record('{"eventName":"INSERT"}')), dynamodb?.(record('{"eventName":"REMOVE"}'))]).toEqual([true, false]);
  expect(createStreamFilter(sampleStreamMapping())).toBeUndefined();
});
