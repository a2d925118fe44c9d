import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { SimClock } from '@wherry/testkit/sim-clock';
import { TargetServer } from '@wherry/testkit/target-server';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { SqsClients } from './clients.ts';

const settings = { region: 'us-east-1', endpoint: 'http://127.0.0.1:4566', maxAttempts: 3 };

function openClients(): SqsClients {
  return new SqsClients({ clock: new SimClock().clock(), random: () => 0.5 });
}

describe('SQS clients', () => {
  test('equal settings share one connection, different ones do not', () => {
    const clients = openClients();
    const first = clients.acquire(settings);
    expect(clients.acquire({ ...settings }).controlClient).toBe(first.controlClient);
    for (const other of [{ region: 'eu-west-1' }, { endpoint: 'http://127.0.0.1:4567' }, { maxAttempts: 1 }, { profile: 'p' }]) {
      expect(clients.acquire({ ...settings, ...other }).controlClient).not.toBe(first.controlClient);
    }
  });

  test('the last share that is given back closes the connection, however often each is given back', () => {
    const clients = openClients();
    const first = clients.acquire(settings);
    const second = clients.acquire(settings);
    first.release();
    first.release();
    const third = clients.acquire(settings);
    expect(third.controlClient).toBe(second.controlClient);
    second.release();
    third.release();
    expect(clients.acquire(settings).controlClient).not.toBe(second.controlClient);
  });

  test('an explicit endpoint is where calls go, and the host of a queue URL is not', async () => {
    const { config } = openClients().acquire(settings).controlClient;
    expect(config.useQueueUrlAsEndpoint).toBe(false);
    expect(await config.endpoint?.()).toMatchObject({ hostname: '127.0.0.1', port: 4566 });
    expect(await config.region()).toBe('us-east-1');
    expect(await config.maxAttempts()).toBe(3);
  });

  test('calls name Wherry as their user agent; hot ones are sent directly from the second on', async () => {
    const server = await TargetServer.start();
    onTestFinished(() => server.close());
    server.answer((_request, response) => response.end('{"QueueUrl":"u"}'));
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => void vi.unstubAllEnvs());
    const connection = openClients().acquire({ ...settings, endpoint: server.url });
    await connection.controlClient.send(new GetQueueUrlCommand({ QueueName: 'orders' }));
    for (let turn = 0; turn < 2; turn += 1) {
      const receive = { queueUrl: 'u', maxMessages: 1, waitTimeSeconds: 0, visibilityTimeoutSeconds: 1 };
      await connection.calls.receiveMessage(receive, new AbortController().signal);
      await connection.calls.deleteMessageBatch('u', ['r']);
      await connection.calls.changeMessageVisibilityBatch('u', ['r'], 1);
    }
    connection.release();
    expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual(Array(7).fill('wherry'));
    // The SDK marks each of its attempts.
    const direct = server.requests.map(({ headers }) => !('amz-sdk-invocation-id' in headers));
    expect(direct).toEqual([false, false, false, false, true, true, true]);
  });
});
