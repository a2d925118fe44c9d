import { Readable } from 'node:stream';
import { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { DirectClient } from '../aws/direct-client.ts';
import { createSqsCalls, type SqsCalls } from './sqs-calls.ts';

const queueUrl = 'http://sqs.us-east-1.example/000000000000/orders';
const signal = new AbortController().signal;

/** The calls over a client that answers with `answer` and keeps what it was sent, when each was made once or not yet. */
async function callsAnswering(answer: object, isFirst: boolean): Promise<{ calls: SqsCalls; sent: unknown[] }> {
  const sent: unknown[] = [];
  let text = '{}';
  const client = new SQSClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    md5: false,
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    requestHandler: {
      handle: ({ body: asked, headers }: { body: Uint8Array | string; headers: Record<string, string> }) => {
        expect('amz-sdk-invocation-id' in headers).toBe(isFirst || text === '{}');
        sent.push([headers['x-amz-target'], JSON.parse(typeof asked === 'string' ? asked : new TextDecoder().decode(asked))]);
        const body = Readable.from([Buffer.from(text)]);
        return Promise.resolve({ response: { statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body } });
      },
    },
  });
  const calls = createSqsCalls(new DirectClient(client), new DirectClient(client));
  if (!isFirst) {
    await calls.receiveMessage({ queueUrl, maxMessages: 1, waitTimeSeconds: 0, visibilityTimeoutSeconds: 1 }, signal);
    await calls.deleteMessageBatch(queueUrl, ['r']);
    await calls.changeMessageVisibilityBatch(queueUrl, ['r'], 1);
    sent.length = 0;
  }
  text = JSON.stringify(answer);
  return { calls, sent };
}

const WAYS = [
  ['the first, which goes through the SDK', true],
  ['a later one, which is sent directly', false],
] as const;

describe.each(WAYS)('receiveMessage, %s', (_which, isFirst) => {
  const call = { queueUrl, maxMessages: 10, waitTimeSeconds: 20, visibilityTimeoutSeconds: 45 };

  test('asks for every attribute and names its visibility timeout', async () => {
    const { calls, sent } = await callsAnswering({ Messages: [] }, isFirst);
    expect(await calls.receiveMessage(call, signal)).toEqual([]);
    const asked = {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
      VisibilityTimeout: 45,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    };
    expect(sent).toEqual([['AmazonSQS.ReceiveMessage', asked]]);
  });

  test('names its attempt id if it has one', async () => {
    const { calls, sent } = await callsAnswering({ Messages: [] }, isFirst);
    await calls.receiveMessage({ ...call, attemptId: 'attempt-1' }, signal);
    expect(sent).toMatchObject([['AmazonSQS.ReceiveMessage', { QueueUrl: queueUrl, ReceiveRequestAttemptId: 'attempt-1' }]]);
  });

  test('refuses a body that does not have the digest that SQS gave', async () => {
    const good = { MessageId: 'good', ReceiptHandle: 'r', Body: 'grüß', MD5OfBody: '692bacb128e85178b81336d84567a608' };
    const messages = [good, { ...good, MessageId: 'broken', Body: 'grus' }];
    const { calls } = await callsAnswering({ Messages: messages }, isFirst);
    await expect(calls.receiveMessage(call, signal)).rejects.toThrow('Invalid MD5 checksum on messages: broken');
  });
});

describe.each(WAYS)('settling, %s', (_which, isFirst) => {
  const answer = { Successful: [{ Id: '0' }], Failed: [{ Id: '1', SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'no' }] };
  const refused = [{ index: 1, code: 'ReceiptHandleIsInvalid', message: 'no' }];

  test('a delete numbers its receipts and returns the refused ones by position', async () => {
    const { calls, sent } = await callsAnswering(answer, isFirst);
    expect(await calls.deleteMessageBatch(queueUrl, ['a', 'b'])).toEqual(refused);
    const entries = [
      { Id: '0', ReceiptHandle: 'a' },
      { Id: '1', ReceiptHandle: 'b' },
    ];
    expect(sent).toEqual([['AmazonSQS.DeleteMessageBatch', { QueueUrl: queueUrl, Entries: entries }]]);
  });

  test('a change of visibility does so too, with one timeout for all', async () => {
    const { calls, sent } = await callsAnswering(answer, isFirst);
    expect(await calls.changeMessageVisibilityBatch(queueUrl, ['a', 'b'], 7)).toEqual(refused);
    const entries = [
      { Id: '0', ReceiptHandle: 'a', VisibilityTimeout: 7 },
      { Id: '1', ReceiptHandle: 'b', VisibilityTimeout: 7 },
    ];
    expect(sent).toEqual([['AmazonSQS.ChangeMessageVisibilityBatch', { QueueUrl: queueUrl, Entries: entries }]]);
  });
});
