import { describe, expect, it } from 'vitest';
import { readPartialResponse } from './partial-response.ts';

const IDS = ['id-1', 'id-2', 'id-3'];
const list = (...failures: readonly unknown[]): string => JSON.stringify({ batchItemFailures: failures });

/** `all`: all succeeded. A list: these failed. `none`: malformed, the whole batch stays. */
const cases: readonly (readonly [string, string, 'all' | 'none' | readonly string[]])[] = [
  ['SQS-07 {}', '{}', 'all'],
  ['SQS-07 null', 'null', 'all'],
  ['SQS-07 empty list', list(), 'all'],
  ['SQS-07 null list', '{"batchItemFailures":null}', 'all'],
  ['SQS-07 no body', '', 'all'],
  ['SQS-07 empty string', '""', 'all'],
  ['SQS-07 empty array', '[]', 'all'],
  ['SQS-07 an object about something else', '{"statusCode":200}', 'all'],
  ['SQS-05 one of three', list({ itemIdentifier: 'id-2' }), ['id-2']],
  ['all of them', list(...IDS.map((itemIdentifier) => ({ itemIdentifier }))), IDS],
  ['the same twice', list({ itemIdentifier: 'id-2' }, { itemIdentifier: 'id-2' }), ['id-2']],
  ['SQS-08 empty id', list({ itemIdentifier: '' }), 'none'],
  ['SQS-08 unknown id', list({ itemIdentifier: 'id-9' }), 'none'],
  ['SQS-08 numeric id', list({ itemIdentifier: 123 }), 'none'],
  ['SQS-08 null id', list({ itemIdentifier: null }), 'none'],
  ['SQS-08 other key', list({ foo: 'notvalid' }), 'none'],
  ['SQS-08 empty entry', list({}), 'none'],
  ['SQS-08 null entry', list(null), 'none'],
  ['SQS-08 text entry', list('id-1'), 'none'],
  ['SQS-08 not a list', '{"batchItemFailures":"x"}', 'none'],
  ['SQS-08 an object instead of a list', '{"batchItemFailures":{}}', 'none'],
  ['SQS-08 not JSON', 'oops', 'none'],
  ['SQS-08 a number', '5', 'none'],
  ['SQS-08 a text', '"ok"', 'none'],
  ['a known and an unknown id', list({ itemIdentifier: 'id-1' }, { itemIdentifier: 'id-9' }), 'none'],
];

describe('a batch response', () => {
  it.each(cases)('%s', (_, body, expected) => {
    const response = readPartialResponse(new TextEncoder().encode(body), IDS);
    if (expected === 'all') expect(response).toEqual({ kind: 'allSucceeded' });
    else if (expected === 'none') expect(response).toMatchObject({ kind: 'malformed' });
    else expect(response).toEqual({ kind: 'someFailed', failedIds: new Set(expected) });
  });
});
