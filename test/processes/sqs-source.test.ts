import { randomUUID } from 'node:crypto';
import type { QueueMessage, QueueSource } from '@wherry/core/queue-source';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import { startFaultProxy, type FaultProxy } from '@wherry/testkit/fault-proxy';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { describeQueueSource } from '@wherry/testkit/contracts/queue-source';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { TestQueues, type TestQueue } from '@wherry/testkit/test-queues';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { realClock, sqsBackend, useTestCredentials } from './sqs-backend.ts';

describeQueueSource('SQS source on fauxqs', { refusesStrangeReceipts: false }, async () => {
  const backend = await startFauxqs();
  return sqsBackend(backend.url, backend.stop);
});

function receive(source: QueueSource, waitTimeSeconds = 5, signal = new AbortController().signal): Promise<QueueMessage[]> {
  return source.receive({ maxMessages: 10, waitTimeSeconds, signal });
}

describe('SQS source behind a network that fails', () => {
  let proxy: FaultProxy;
  let queues: TestQueues;
  let stopBackend: () => Promise<void>;

  beforeAll(async () => {
    useTestCredentials();
    const backend = await startFauxqs();
    stopBackend = backend.stop;
    queues = new TestQueues(backend.url);
    proxy = await startFaultProxy(backend.url);
  });
  afterEach(() => proxy.clear());
  afterAll(async () => {
    await proxy.close();
    await stopBackend();
  });

  const openSource = (queue: TestQueue, { endpoint = proxy.url, maxAttempts = 1 } = {}): QueueSource => {
    const mapping = sampleMapping({ eventSourceArn: queue.arn, aws: { region: 'us-east-1', endpoint, maxAttempts } });
    const surroundings = { clock: realClock, newId: () => randomUUID() };
    const source = createSqsSource(mapping, { clients: new SqsClients({ clock: realClock, random: Math.random }), surroundings });
    onTestFinished(() => source.close());
    return source;
  };

  test('a delete whose answer is lost is done: what is asked again does not come back', async () => {
    const queue = await queues.create({ visibilityTimeoutSeconds: 1 });
    const source = openSource(queue);
    await queues.send(queue, [{ body: 'a' }]);
    const messages = await receive(source);
    proxy.inject({ operation: 'DeleteMessageBatch', fault: { kind: 'lostResponse' }, times: 1 });
    await expect(source.delete(messages)).rejects.toMatchObject({ name: 'SourceError', code: 'unavailable' });
    expect(await source.delete(messages)).toHaveLength(1);
    expect(await receive(source, 2)).toEqual([]);
  });

  test('with attempts to spend, a lost answer is asked for again by the client itself', async () => {
    const queue = await queues.create();
    const source = openSource(queue, { maxAttempts: 3 });
    await queues.send(queue, [{ body: 'a' }]);
    const messages = await receive(source);
    const before = proxy.count('DeleteMessageBatch');
    proxy.inject({ operation: 'DeleteMessageBatch', fault: { kind: 'lostResponse' }, times: 1 });
    expect(await source.delete(messages)).toEqual(['done']);
    expect(proxy.count('DeleteMessageBatch')).toBe(before + 2);
  });

  test.each([
    ['ThrottlingException', 400, 'throttled'],
    ['AWS.SimpleQueueService.OverLimit', 403, 'throttled'],
    ['AccessDeniedException', 403, 'accessDenied'],
    ['AWS.SimpleQueueService.NonExistentQueue', 400, 'notFound'],
    ['InternalFailure', 500, 'unavailable'],
  ])('a receive refused with %s (%i) is %s, and the next one works', async (name, status, code) => {
    const queue = await queues.create();
    const source = openSource(queue);
    await queues.send(queue, [{ body: 'a' }]);
    proxy.inject({ operation: 'ReceiveMessage', fault: { kind: 'error', code: name, status }, times: 1 });
    await expect(receive(source)).rejects.toMatchObject({ name: 'SourceError', code });
    expect(await receive(source)).toHaveLength(1);
  });

  test('a reset connection is unavailable, and the next receive works', async () => {
    const queue = await queues.create();
    const source = openSource(queue);
    await queues.send(queue, [{ body: 'a' }]);
    proxy.inject({ operation: 'ReceiveMessage', fault: { kind: 'reset' }, times: 1 });
    await expect(receive(source)).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ECONNRESET' });
    expect(await receive(source)).toHaveLength(1);
  });

  test('nobody at the endpoint is unavailable', async () => {
    const queue = await queues.create();
    const closed = await startFaultProxy('http://127.0.0.1:9');
    await closed.close();
    await expect(receive(openSource(queue, { endpoint: closed.url }))).rejects.toMatchObject({
      code: 'unavailable',
      serviceCode: 'ECONNREFUSED',
    });
  });

  test('a poll that never gets an answer ends when it is aborted, and settling does not wait for it', async () => {
    const queue = await queues.create();
    const source = openSource(queue);
    await queues.send(queue, [{ body: 'a' }]);
    const messages = await receive(source);
    proxy.inject({ operation: 'ReceiveMessage', fault: { kind: 'blackHole' }, times: 1 });
    const stop = new AbortController();
    const before = proxy.count('ReceiveMessage');
    const polled = receive(source, 20, stop.signal);
    await proxy.arrived('ReceiveMessage', before + 1);
    expect(await source.delete(messages)).toEqual(['done']);
    stop.abort();
    await expect(polled).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'AbortError' });
  });

  test('an abort does not wait for a look-up of the queue that gets no answer', async () => {
    const source = openSource(await queues.create());
    proxy.inject({ operation: 'GetQueueUrl', fault: { kind: 'blackHole' }, times: 1 });
    const stop = new AbortController();
    const before = proxy.count('GetQueueUrl');
    const polled = receive(source, 20, stop.signal);
    await proxy.arrived('GetQueueUrl', before + 1);
    stop.abort();
    await expect(polled).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'AbortError' });
  });

  test('the URL is asked for once, and again after refresh; its own host is never called', async () => {
    const queue = await queues.create();
    expect(new URL(queue.url).host).not.toBe(new URL(proxy.url).host);
    const source = openSource(queue);
    const before = proxy.count('GetQueueUrl');
    await Promise.all([source.attributes(), receive(source, 0), receive(source, 0)]);
    await receive(source, 0);
    expect(proxy.count('GetQueueUrl')).toBe(before + 1);
    source.refresh();
    await receive(source, 0);
    expect(proxy.count('GetQueueUrl')).toBe(before + 2);
  });

  test('a queue that was deleted and made again is served again', async () => {
    const queue = await queues.create();
    const source = openSource(queue);
    await receive(source, 0);
    await queues.delete(queue);
    await expect(receive(source, 0)).rejects.toMatchObject({ code: 'notFound' });
    await queues.create({ name: queue.name });
    source.refresh();
    await queues.send(queue, [{ body: 'a' }]);
    expect(await receive(source)).toHaveLength(1);
  });
});
