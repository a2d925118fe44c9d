import type { QueueMessage } from '@wherry/core/queue-source';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { expect, it } from 'vitest';
import { createMessageFilter } from './message-filter.ts';

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
