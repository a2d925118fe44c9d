import { Readable } from 'node:stream';
import { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { createSdkCalls } from './sdk-calls.ts';
import type { SqsCalls } from './sqs-calls.ts';

const queueUrl = 'http://sqs.us-east-1.example/000000000000/orders';
const signal = new AbortController().signal;

/** The calls over a client that answers with `answer` and keeps what it was sent. */
function callsAnswering(answer: object): { calls: SqsCalls; sent: unknown[] } {
  const sent: unknown[] = [];
  const client = new SQSClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    md5: false,
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    requestHandler: {
      handle: (request: { body: Uint8Array; headers: Record<string, string> }) => {
        sent.push([request.headers['x-amz-target'], JSON.parse(new TextDecoder().decode(request.body))]);
        const body = Readable.from([Buffer.from(JSON.stringify(answer))]);
        return Promise.resolve({ response: { statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body } });
      },
    },
  });
  return { calls: createSdkCalls(client, client), sent };
}

describe('receiveMessage', () => {
  const call = { queueUrl, maxMessages: 10, waitTimeSeconds: 20, visibilityTimeoutSeconds: 45 };

  test('asks for every attribute and names its visibility timeout', async () => {
    const { calls, sent } = callsAnswering({});
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
    await calls.receiveMessage({ ...call, attemptId: 'attempt-1' }, signal);
    expect(sent[1]).toEqual(['AmazonSQS.ReceiveMessage', { ...asked, ReceiveRequestAttemptId: 'attempt-1' }]);
  });

  test('refuses a body that does not have the digest that SQS gave', async () => {
    const good = { MessageId: 'good', ReceiptHandle: 'r', Body: 'grüß', MD5OfBody: '692bacb128e85178b81336d84567a608' };
    const { calls } = callsAnswering({ Messages: [good, { ...good, MessageId: 'broken', Body: 'grus' }] });
    await expect(calls.receiveMessage(call, signal)).rejects.toThrow('Invalid MD5 checksum on messages: broken');
  });
});

describe('settling', () => {
  const answer = { Successful: [{ Id: '0' }], Failed: [{ Id: '1', SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'no' }] };
  const refused = [{ index: 1, code: 'ReceiptHandleIsInvalid', message: 'no' }];

  test('a delete numbers its receipts and returns the refused ones by position', async () => {
    const { calls, sent } = callsAnswering(answer);
    expect(await calls.deleteMessageBatch(queueUrl, ['a', 'b'])).toEqual(refused);
    const entries = [
      { Id: '0', ReceiptHandle: 'a' },
      { Id: '1', ReceiptHandle: 'b' },
    ];
    expect(sent).toEqual([['AmazonSQS.DeleteMessageBatch', { QueueUrl: queueUrl, Entries: entries }]]);
  });

  test('a change of visibility does so too, with one timeout for all', async () => {
    const { calls, sent } = callsAnswering(answer);
    expect(await calls.changeMessageVisibilityBatch(queueUrl, ['a', 'b'], 7)).toEqual(refused);
    const entries = [
      { Id: '0', ReceiptHandle: 'a', VisibilityTimeout: 7 },
      { Id: '1', ReceiptHandle: 'b', VisibilityTimeout: 7 },
    ];
    expect(sent).toEqual([['AmazonSQS.ChangeMessageVisibilityBatch', { QueueUrl: queueUrl, Entries: entries }]]);
  });
});
