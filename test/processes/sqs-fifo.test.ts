import { randomUUID } from 'node:crypto';
import type { QueueMessage } from '@wherry/core/queue-source';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import type { Backend, BackendStart } from '@wherry/testkit/backend-process';
import { describeQueueSource } from '@wherry/testkit/contracts/queue-source';
import { startLocalstack } from '@wherry/testkit/localstack-process';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { TestQueues } from '@wherry/testkit/test-queues';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { realClock, sqsBackend, useTestCredentials } from './sqs-backend.ts';

async function backendOf(starting: Promise<BackendStart>): Promise<ReturnType<typeof sqsBackend> | string> {
  const started = await starting;
  return started.kind === 'missing' ? started.reason : sqsBackend(started.backend.url, started.backend.stop);
}

describeQueueSource(
  'SQS source on ministack',
  { refusesStrangeReceipts: true, groups: { refusesExpiredReceipts: 'onceReceivedAgain' } },
  () => backendOf(startMinistack()),
);

describeQueueSource('SQS source on LocalStack', { refusesStrangeReceipts: true, groups: { refusesExpiredReceipts: 'whileVisible' } }, () =>
  backendOf(startLocalstack()),
);

async function receiveOne(endpoint: string, eventSourceArn: string, fifo: boolean): Promise<QueueMessage> {
  const mapping = sampleMapping({ eventSourceArn, fifo, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } });
  const surroundings = { clock: realClock, newId: () => randomUUID() };
  const source = createSqsSource(mapping, { clients: new SqsClients({ clock: realClock, random: Math.random }), surroundings });
  const [message] = await source.receive({ maxMessages: 1, waitTimeSeconds: 10, signal: new AbortController().signal });
  source.close();
  if (message === undefined) throw new Error(`nothing arrived in ${eventSourceArn}`);
  return message;
}

describe('the record of a real message', () => {
  let started: BackendStart = { kind: 'missing', reason: 'not started' };
  beforeAll(async () => {
    useTestCredentials();
    started = await startLocalstack();
  }, 300_000);
  afterAll(async () => {
    if (started.kind === 'started') await started.backend.stop();
  });
  const backendFor = (context: TestContext): Backend =>
    started.kind === 'missing' ? context.skip(`no LocalStack: ${started.reason}`) : started.backend;

  test('EVT-01 has its attributes, the trace header and the digests of what was sent', async (context) => {
    const { url } = backendFor(context);
    const queues = new TestQueues(url);
    const queue = await queues.create();
    const traceHeader = 'Root=1-66f0aaaa-0123456789abcdef01234567;Sampled=1';
    const attributes = {
      Author: { DataType: 'String.name', StringValue: 'Ada' },
      Blob: { DataType: 'Binary', BinaryValue: '3q2+7w==' },
    };
    const [messageId] = await queues.send(queue, [{ body: '{"orderId":17}', groupId: 'tenant-1', traceHeader, attributes }]);
    const message = await receiveOne(url, queue.arn, false);
    expect(message).toMatchObject({ messageId, traceHeader });
    expect(message).not.toHaveProperty('messageGroupId');
    expect(JSON.parse(message.recordJson)).toEqual({
      messageId,
      receiptHandle: message.receiptHandle,
      body: '{"orderId":17}',
      attributes: {
        ApproximateReceiveCount: '1',
        AWSTraceHeader: traceHeader,
        SentTimestamp: String(message.sentAtMs),
        MessageGroupId: 'tenant-1',
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        Author: { stringValue: 'Ada', stringListValues: [], binaryListValues: [], dataType: 'String.name' },
        Blob: { binaryValue: '3q2+7w==', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
      },
      md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
      md5OfBody: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: 'us-east-1',
    });
  });

  test('EVT-03 carries sequence number, group and deduplication id on a FIFO queue', async (context) => {
    const { url } = backendFor(context);
    const queues = new TestQueues(url);
    const queue = await queues.create({ fifo: true });
    await queues.send(queue, [{ body: 'a', groupId: 'customer-7', deduplicationId: 'd-1' }]);
    const message = await receiveOne(url, queue.arn, true);
    expect(message.messageGroupId).toBe('customer-7');
    expect(JSON.parse(message.recordJson)).toMatchObject({
      attributes: { SequenceNumber: expect.stringMatching(/^\d+$/), MessageGroupId: 'customer-7', MessageDeduplicationId: 'd-1' },
    });
  });
});
