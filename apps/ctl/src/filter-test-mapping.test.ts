import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from './program.ts';

const configuration = `version: 1
fleet: { id: t1, accountId: "000000000000", region: us-east-1 }
redis: { url: "redis://127.0.0.1:1" }
functions: { orders: { target: { http: { url: "http://127.0.0.1:1" } } } }
mappings:
  orders:
    EventSourceArn: arn:aws:sqs:us-east-1:000000000000:orders
    FunctionName: orders
    FilterCriteria: { Filters: [ { Pattern: '{"body":{"kind":["new"]}}' }, { Pattern: '{"body":{"total":[{"numeric":[">",100]}]}}' } ] }
  words:
    EventSourceArn: arn:aws:sqs:us-east-1:000000000000:words.fifo
    FunctionName: orders
    FilterCriteria: { Filters: [ { Pattern: '{"body":["hello"],"attributes":{"MessageGroupId":[{"exists":true}]}}' } ] }
  all:
    EventSourceArn: arn:aws:sqs:us-east-1:000000000000:all
    FunctionName: orders
  clicks:
    EventSourceArn: arn:aws:kinesis:us-east-1:000000000000:stream/clicks
    StartingPosition: LATEST
    FunctionName: orders
    FilterCriteria: { Filters: [ { Pattern: '{"data":{"kind":["new"]}}' } ] }
  items:
    EventSourceArn: arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-09-17T12:49:54.528
    StartingPosition: LATEST
    FunctionName: orders
    FilterCriteria: { Filters: [ { Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"n":{"N":["7"]}}}}' } ] }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-filter-'));
  await writeFile(join(folder, 'wherry.yaml'), configuration);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `wherry filter test MAPPING --event -`. */
async function filterTest(mapping: string, input: string | Uint8Array, ...more: readonly string[]) {
  let stdout = '';
  let stderr = '';
  async function* stdin(): AsyncGenerator<string | Uint8Array> {
    yield input;
  }
  const args = ['filter', 'test', mapping, '--event', '-', '--config', join(folder, 'wherry.yaml'), ...more];
  const io = { stdout: { write: (text: string) => (stdout += text) }, stderr: { write: (text: string) => (stderr += text) } };
  return { code: await runProgram(args, { ...io, stdin: stdin(), env: {} }), stdout, stderr };
}

function sqsRecord(messageId: string, body: string): object {
  return { messageId, receiptHandle: 'r', body, attributes: {}, eventSource: 'aws:sqs' };
}

test('says which filter matches, and what the file was taken as', async () => {
  expect(await filterTest('orders', '{"kind":"old","total":101}')).toEqual({
    code: 0,
    stdout: `match
filter 2 of 2 matches: {"body":{"total":[{"numeric":[">",100]}]}}
(standard input was taken as the body of a message)
`,
    stderr: '',
  });
});

test('says of each filter which condition failed', async () => {
  expect(await filterTest('orders', '{"kind":"old","total":100.0}')).toEqual({
    code: 1,
    stdout: `no match
filter 1 of 2 does not: {"body":{"kind":["new"]}}
  the first condition that failed:
    path      body.kind
    expected  ["new"]
    actual    "old"
filter 2 of 2 does not: {"body":{"total":[{"numeric":[">",100]}]}}
  the first condition that failed:
    path      body.total
    expected  [{"numeric":[">",100]}]
    actual    100.0
(standard input was taken as the body of a message)
`,
    stderr: '',
  });
});

test('a mapping without filters lets every record through', async () => {
  expect(await filterTest('all', 'anything')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^match\nall has no filters: every record matches\n/),
  });
});

describe('the file may hold', () => {
  test('a body, byte for byte: a final line break belongs to it', async () => {
    expect((await filterTest('words', 'hello')).code).toBe(0);
    const { code, stdout } = await filterTest('words', 'hello\n');
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('actual    "hello\\n"\n') });
  });

  test('one record', async () => {
    const { code, stdout } = await filterTest('orders', JSON.stringify(sqsRecord('m1', '{"kind":"new"}')));
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('(standard input was taken as one record)') });
  });

  test('an event, of which every record has to match', async () => {
    const good = sqsRecord('m1', '{"kind":"new"}');
    expect(await filterTest('orders', JSON.stringify({ Records: [good, good] }))).toMatchObject({ code: 0 });
    const { code, stdout } = await filterTest('orders', JSON.stringify({ Records: [good, sqsRecord('m2', 'text')] }));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^no match\n1 of 2 records match\nrecord 1 \(m1\): match\n {2}filter 1 of 2 matches: .*\nrecord 2 \(m2\): no match\n/,
    );
    expect(stdout).toContain('      actual    missing: "body" is "text"\n');
  });

  test('an event of another service as the body of a message', async () => {
    const { stdout } = await filterTest('orders', JSON.stringify({ kind: 'new', Records: [{ eventSource: 'aws:s3' }] }));
    expect(stdout).toMatch(/^match\n/);
    expect(stdout).toContain('taken as the body of a message');
  });

  test.each([
    ['clicks', '{"kind":"new"}', 0, 'the data of a record'],
    ['clicks', '{"kind":"old"}', 1, 'the data of a record'],
    ['clicks', Buffer.from([0xff, 0xfe]), 1, 'the data of a record'],
    [
      'clicks',
      JSON.stringify({ Records: [{ eventSource: 'aws:kinesis', kinesis: { data: btoa('{"kind":"new"}') } }] }),
      0,
      'an event with 1 record',
    ],
    ['items', '{"NewImage":{"n":{"N":"7"}}}', 0, 'the "dynamodb" part of a record'],
    ['items', '{"OldImage":{"n":{"N":"7"}},"NewImage":{"n":{"N":"7"}}}', 1, 'the "dynamodb" part of a record'],
    ['items', '{"eventName":"INSERT","dynamodb":{"NewImage":{"n":{"N":"7"}}}}', 0, 'one record'],
  ])('records of streams: %s with %s exits %i', async (mapping, input, expected, takenAs) => {
    const { code, stdout } = await filterTest(mapping, input);
    expect({ code, stdout }).toEqual({ code: expected, stdout: expect.stringContaining(`was taken as ${takenAs})`) });
  });
});

test('--json gives a verdict for each record', async () => {
  const event = { Records: [sqsRecord('m1', '{"kind":"new"}'), sqsRecord('m2', '{"kind":"x"}')] };
  const { code, stdout } = await filterTest('orders', JSON.stringify(event), '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    match: false,
    mapping: 'orders',
    takenAs: 'event',
    records: [
      { id: 'm1', match: true, filter: 1 },
      {
        id: 'm2',
        match: false,
        failed: [expect.objectContaining({ path: 'body.kind', actual: ['"x"'] }), expect.objectContaining({ path: 'body.total' })],
      },
    ],
  });
});

test.each<[string, string, string | Uint8Array, string]>([
  ['a misspelt mapping', 'ordrs', '{}', '(Did you mean orders?)'],
  ['an unknown mapping', 'payments', '{}', 'has no mapping "payments"; it has orders, words, all, clicks, items'],
  ['a body that is not UTF-8', 'orders', Buffer.from([0xff]), 'standard input is not UTF-8'],
  ['text for DynamoDB', 'items', 'text', 'is neither an event nor a record of DynamoDB'],
  ['a Kinesis record without data', 'clicks', '{"kinesis":{"data":"%"}}', 'record 1 in standard input has no base64 text as kinesis.data'],
])('%s is bad input', async (_name, mapping, input, message) => {
  const { code, stdout, stderr } = await filterTest(mapping, input);
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
});

test('a configuration with errors is bad input, told as validate tells it', async () => {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, configuration.replace('FunctionName', 'FunctionNam'));
  const { code, stderr } = await filterTest('orders', '{}', '--config', file);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('did you mean "FunctionName"?') });
});
