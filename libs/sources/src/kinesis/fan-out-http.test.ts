import { KinesisClient, ListShardsCommand, SubscribeToShardCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openKinesisClient } from './kinesis-calls.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const consumerArn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/wherry:1';
const subscribe = new SubscribeToShardCommand({ ConsumerARN: consumerArn, ShardId: 's', StartingPosition: { Type: 'LATEST' } });
const list = new ListShardsCommand({ StreamARN: 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks' });

type Sent = { readonly protocol: string; readonly hostname: string; readonly headers: Record<string, string> };

/** What a client would send, signed and not sent. */
async function sentBy(client: KinesisClient, command: typeof subscribe | typeof list): Promise<Sent> {
  onTestFinished(() => client.destroy());
  let sent: Sent | undefined;
  client.middlewareStack.add(
    () => async (args) => {
      sent = args.request as Sent;
      throw new Error('not sent');
    },
    { step: 'deserialize', priority: 'low', name: 'capture' },
  );
  await expect(client.send(command as typeof list)).rejects.toThrow('not sent');
  return sent!;
}

function ours(endpoint?: string): KinesisClient {
  const settings = { region: 'eu-west-1', maxAttempts: 1, ...(endpoint === undefined ? {} : { endpoint }) };
  return openKinesisClient(settings, () => Promise.resolve(credentials));
}

const signedHeaders = ({ headers }: Sent): string[] => /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '')?.[1]?.split(';') ?? [];

describe('a subscription', () => {
  test('to AWS is signed for HTTP/2 as the SDK signs it where all goes over HTTP/2', async () => {
    // Without a handler given, the SDK's client for Kinesis has one for HTTP/2.
    const whole = await sentBy(new KinesisClient({ region: 'eu-west-1', credentials }), subscribe);
    const own = await sentBy(ours(), subscribe);
    expect([own.protocol, own.hostname]).toEqual([whole.protocol, whole.hostname]);
    expect(own.headers[':authority']).toBe(whole.headers[':authority']);
    expect([own.headers['host'], whole.headers['host']]).toEqual([undefined, undefined]);
    expect(signedHeaders(own)).toContain(':authority');
    const fromSdkAlone = ['amz-sdk-invocation-id', 'amz-sdk-request', 'x-amz-user-agent'];
    expect(signedHeaders(own).filter((name) => !fromSdkAlone.includes(name))).toEqual(
      signedHeaders(whole).filter((name) => !fromSdkAlone.includes(name)),
    );
  });

  test('to an emulator without TLS goes over HTTP/1.1', async () => {
    const { headers } = await sentBy(ours('http://127.0.0.1:4566'), subscribe);
    expect([headers['host'], headers[':authority']]).toEqual(['127.0.0.1:4566', undefined]);
  });
});

test.each([undefined, 'http://127.0.0.1:4566', 'https://127.0.0.1:4566'])(
  'other calls go over HTTP/1.1 wherever they go (%s)',
  async (endpoint) => {
    const { headers } = await sentBy(ours(endpoint), list);
    expect(headers[':authority']).toBeUndefined();
    expect(headers['host']).not.toBe('');
  },
);
