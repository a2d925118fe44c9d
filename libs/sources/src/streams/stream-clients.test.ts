import { SimClock } from '@wherry/testkit/sim-clock';
import { describe, expect, test } from 'vitest';
import { CredentialsByRole } from '../aws/credentials.ts';
import { createDynamoDbClients } from '../dynamodb/clients.ts';
import { createKinesisClients } from '../kinesis/clients.ts';
import { StreamClients } from './stream-clients.ts';

const credentials = new CredentialsByRole({ clock: new SimClock().clock(), random: () => 0.5 });
const settings = { region: 'us-east-1', endpoint: 'http://127.0.0.1:4566', maxAttempts: 3 };

class FakeClient {
  isDestroyed = false;
  destroy(): void {
    this.isDestroyed = true;
  }
}

function openClients(): { clients: StreamClients<FakeClient>; opened: FakeClient[] } {
  const opened: FakeClient[] = [];
  const open = async (): Promise<FakeClient> => {
    const client = new FakeClient();
    opened.push(client);
    return client;
  };
  return { clients: new StreamClients(credentials, open), opened };
}

describe('stream clients', () => {
  test('are opened by the first call, one for all mappings with equal settings', async () => {
    const { clients, opened } = openClients();
    const shares = [clients.acquire(settings), clients.acquire({ ...settings }), clients.acquire({ ...settings, region: 'eu-west-1' })];
    expect(opened).toEqual([]);
    const [first, second, third] = await Promise.all(shares.map(({ connection }) => connection.get()));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(opened).toHaveLength(2);
  });

  test('are closed when the last share is given back, and one that was never used needs no closing', async () => {
    const { clients, opened } = openClients();
    const [one, two] = [clients.acquire(settings), clients.acquire(settings)];
    const client = await one.connection.get();
    one.release();
    one.release();
    expect(client.isDestroyed).toBe(false);
    two.release();
    await one.connection.get();
    expect(client.isDestroyed).toBe(true);
    clients.acquire(settings).release();
    expect(opened).toHaveLength(1);
  });
});

test.each([
  ['Kinesis', createKinesisClients],
  ['DynamoDB Streams', createDynamoDbClients],
])('the client of %s speaks HTTP/1.1 to the endpoint that it was given', async (_service, create) => {
  const { connection } = create(credentials).acquire(settings);
  const { config } = await connection.get();
  expect(config.requestHandler.metadata?.handlerProtocol).toBe('http/1.1');
  expect(await config.endpoint?.()).toMatchObject({ hostname: '127.0.0.1', port: 4566 });
  expect(await config.region()).toBe('us-east-1');
  expect(await config.maxAttempts()).toBe(3);
});
