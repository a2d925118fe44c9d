import { createHash, createHmac } from 'node:crypto';
import { toSqsError } from '@wherry/core/sqs-fault';
import { Readable } from 'node:stream';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { TargetServer, type AnswerRequest, type SeenRequest } from '@wherry/testkit/target-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DirectClient } from './direct-client.ts';
import type { SqsDirectClient } from '../sqs/sqs-calls.ts';
import { readReceived, readSettled } from '../sqs/plain-answer.ts';
import { createRecordWriter } from '../sqs/record.ts';

const queueUrl = 'https://queues.example/000000000000/orders';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
const writeRecord = createRecordWriter({ eventSourceArn: 'arn:aws:sqs:us-east-1:0:q', maximumBatchingWindowInSeconds: 0 });
const JSON_10 = { 'content-type': 'application/x-amz-json-1.0' };

interface Received {
  readonly Messages?: Message[] | undefined;
}

async function serve(answer: AnswerRequest = (_request, response) => response.writeHead(200, JSON_10).end('{}')): Promise<TargetServer> {
  const server = await TargetServer.start();
  onTestFinished(() => server.close());
  server.answer(answer);
  return server;
}

function openSdk(endpoint: string, changes: SQSClientConfig = {}): SQSClient {
  const settings = { region: 'us-east-1', endpoint, credentials, maxAttempts: 1, useQueueUrlAsEndpoint: false, md5: false as const };
  const client = new SQSClient({ ...settings, ...changes });
  onTestFinished(() => client.destroy());
  return client;
}

function receiveBy(client: SqsDirectClient, signal?: AbortSignal): Promise<Received> {
  return client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 20 }), readReceived, signal);
}

/** Only the SDK writes this header, into each of its attempts. */
function isFromSdk(request: SeenRequest): boolean {
  return 'amz-sdk-invocation-id' in request.headers;
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** What the signature of a request has to be, from the request as it arrived. */
function expectedAuthorization({ method, path, headers, body }: SeenRequest): string {
  const [, scope = '', names = ''] = /Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+),/.exec(headers.authorization ?? '') ?? [];
  const signed = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const canonical = [method, path, '', signed.join(''), names, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<Buffer | string>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

describe('what is sent', () => {
  const entries = [{ Id: '0', ReceiptHandle: 'ä"\\u0000' }];
  const calls: readonly (readonly [string, (client: SqsDirectClient) => Promise<unknown>])[] = [
    ['ReceiveMessage', (client) => receiveBy(client)],
    ['DeleteMessageBatch', (client) => client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }), readSettled)],
    [
      'ChangeMessageVisibilityBatch',
      (client) =>
        client.send(
          new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: [{ ...entries[0]!, VisibilityTimeout: 7 }] }),
          readSettled,
        ),
    ],
  ];

  test.each(calls)('%s is the same request without the SDK as with it, and well signed', async (operation, send) => {
    const server = await serve();
    const client = new DirectClient(openSdk(`${server.url}/base`));
    await send(client);
    await send(client);
    const [whole, direct] = server.requests as [SeenRequest, SeenRequest];
    expect([isFromSdk(whole), isFromSdk(direct)]).toEqual([true, false]);
    expect(direct.headers['x-amz-target']).toBe(`AmazonSQS.${operation}`);
    expect([direct.method, direct.path]).toEqual([whole.method, whole.path]);
    expect(JSON.parse(direct.body.toString())).toEqual(JSON.parse(whole.body.toString()));
    const perCall = ['amz-sdk-invocation-id', 'amz-sdk-request', 'authorization', 'x-amz-date', 'x-amz-content-sha256'];
    const constant = ({ headers }: SeenRequest): object =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !perCall.includes(name)));
    expect(constant(direct)).toEqual(constant(whole));
    expect(direct.headers['x-amz-security-token']).toBe('token');
    for (const request of [whole, direct]) expect(request.headers.authorization).toBe(expectedAuthorization(request));
  });

  test.each([
    [{ region: 'eu-west-1' }, 'sqs.eu-west-1.amazonaws.com'],
    [{ region: 'cn-north-1' }, 'sqs.cn-north-1.amazonaws.com.cn'],
    [{ region: 'us-east-1', useFipsEndpoint: true }, 'sqs-fips.us-east-1.amazonaws.com'],
    [{ region: 'eu-west-1', useDualstackEndpoint: true }, 'sqs.eu-west-1.api.aws'],
  ])('with %o it goes to %s, both ways', async (settings, hostname) => {
    const seen: [string, string, string][] = [];
    const requestHandler = {
      handle: async ({ protocol, hostname: host, headers }: { protocol: string; hostname: string; headers: Record<string, string> }) => {
        seen.push([protocol, host, /\d{8}\/([^/]+\/[^/]+)\//.exec(headers['authorization'] ?? '')?.[1] ?? '']);
        return { response: { statusCode: 200, headers: {}, body: Readable.from([Buffer.from('{}')]) } };
      },
    };
    const client = new DirectClient(new SQSClient({ ...settings, credentials, requestHandler, useQueueUrlAsEndpoint: false, md5: false }));
    await receiveBy(client);
    await receiveBy(client);
    expect(seen[1]).toEqual(['https:', hostname, `${settings.region}/sqs`]);
    expect(seen[1]).toEqual(seen[0]);
  });

  test('keys that were renewed sign the next call', async () => {
    const server = await serve();
    let asked = 0;
    // So near their end that they are asked for anew for every call.
    const provider = async () => ({ ...credentials, sessionToken: `token-${(asked += 1)}`, expiration: new Date(Date.now() + 60_000) });
    const client = new DirectClient(openSdk(server.url, { credentials: provider }));
    for (let call = 0; call < 3; call += 1) await receiveBy(client);
    const tokens = server.requests.map(({ headers }) => headers['x-amz-security-token']);
    expect(new Set(tokens).size).toBe(3);
    expect(server.requests.map(isFromSdk)).toEqual([true, false, false]);
  });

  test('without keys nothing is sent, and the error is the one of the provider', async () => {
    const server = await serve();
    let hasKeys = true;
    const provider = async () => {
      if (!hasKeys) throw Object.assign(new Error('no keys'), { name: 'CredentialsProviderError' });
      return { ...credentials, expiration: new Date(Date.now() + 60_000) };
    };
    const client = new DirectClient(openSdk(server.url, { credentials: provider }));
    await receiveBy(client);
    hasKeys = false;
    await expect(receiveBy(client)).rejects.toMatchObject({ name: 'CredentialsProviderError', message: 'no keys' });
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, (endpoint: string) => SQSClient]>([
    ['the adaptive retry mode, which holds calls back', (endpoint) => openSdk(endpoint, { retryMode: 'adaptive' })],
    [
      'a header that nobody knows',
      (endpoint) => {
        const client = openSdk(endpoint);
        client.middlewareStack.add((next) => (args) => next(withNewHeader(args)), { step: 'build' });
        return client;
      },
    ],
    [
      'an input that the SDK changes',
      (endpoint) => {
        const client = openSdk(endpoint);
        client.middlewareStack.add((next) => (args) => next({ ...args, input: { ...args.input, MaxNumberOfMessages: 3 } }), {
          step: 'initialize',
        });
        return client;
      },
    ],
  ])('%s leaves every call to the SDK', async (_what, open) => {
    const server = await serve();
    const client = new DirectClient(open(server.url));
    await receiveBy(client);
    await receiveBy(client);
    expect(server.requests.map(isFromSdk)).toEqual([true, true]);
  });
});

describe('what comes of an answer', () => {
  const body = { MessageId: 'm', ReceiptHandle: 'r', Body: 'grüß ☃', MD5OfBody: 'x' };
  const plain = (message: object): AnswerRequest => json(200, { Messages: [{ ...body, ...message }] });
  const attribute = (value: object): AnswerRequest => plain({ MessageAttributes: { a: { DataType: 'Binary', ...value } } });

  const table: readonly (readonly [string, AnswerRequest])[] = [
    ['a message', plain({ Attributes: { SentTimestamp: '1', SenderId: 'A' }, MD5OfMessageAttributes: 'y' })],
    ['text attributes', plain({ MessageAttributes: { a: { DataType: 'String', StringValue: 'é', StringListValues: [] } } })],
    ['binary attributes', attribute({ BinaryValue: '//4=' })],
    ['base64 that is none', attribute({ BinaryValue: '*' })],
    ['a number for a text', plain({ Body: 5 })],
    ['a number for an attribute', plain({ Attributes: { SentTimestamp: 1 } })],
    ['null for a member', plain({ MessageAttributes: null, Attributes: null })],
    ['null for the messages', json(200, { Messages: null })],
    ['no messages', json(200, {})],
    ['nothing at all', text(200, '')],
    ['a list', json(200, [])],
    ['XML', text(200, '<ReceiveMessageResponse/>', { 'content-type': 'text/xml' })],
    ['another success', json(202, {})],
    ['a redirect', text(307, '', { location: 'http://127.0.0.1:9/' })],
    ['a missing queue', json(400, { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no such queue' })],
    [
      'a missing queue with its old name',
      json(
        400,
        { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no' },
        { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' },
      ),
    ],
    ['a throttled call', json(400, { __type: 'ThrottlingException', message: 'slow down' })],
    ['a forbidden call', json(403, { __type: 'AccessDeniedException', Message: 'not you' })],
    ['expired keys', json(403, { __type: 'ExpiredTokenException', message: 'expired' })],
    ['an error in XML', text(400, '<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>')],
    ['a page of a load balancer', text(503, '<html>busy</html>', { 'content-type': 'text/html' })],
    ['too many requests', text(429, '')],
    ['a broken server', json(500, { __type: 'InternalFailure' })],
    ['a cut connection', (request) => request.socket.destroy()],
    [
      'an answer cut in the middle',
      (request, response) => {
        response.writeHead(200, { ...JSON_10, 'content-length': 100 }).write('{"Messages":', () => request.socket.destroy());
      },
    ],
  ];

  test.each([1, 2])('with %i attempts: the same results, faults and numbers of requests as through the SDK', async (maxAttempts) => {
    const server = await serve();
    const client = openSdk(server.url, { maxAttempts });
    const direct = new DirectClient(client);
    await receiveBy(direct);
    for (const [what, answer] of table) {
      server.answer(answer);
      const ofSdk = await outcome(server, () => client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 20 })));
      const first = server.requests.length;
      expect.soft(await outcome(server, () => receiveBy(direct)), what).toEqual(ofSdk);
      expect.soft(isFromSdk(server.requests[first]!), what).toBe(false);
    }
  });

  test('a connection that the server closed since the last call does no harm', async () => {
    const server = await serve();
    const client = new DirectClient(openSdk(server.url));
    for (let call = 0; call < 3; call += 1) {
      await receiveBy(client);
      const { socket } = server.requests.at(-1)!;
      await new Promise((resolve) => socket.once('close', resolve).end());
    }
    expect(server.requests.map(isFromSdk)).toEqual([true, false, false]);
  });

  test('a clock that is wrong is corrected by the SDK, and direct calls sign by the corrected one', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const server = await serve();
    const client = new DirectClient(openSdk(server.url, { maxAttempts: 2 }));
    await receiveBy(client);
    server.answer((request, response) => {
      if (Date.parse(isoDate(request)) > Date.now() + 1_800_000) return response.writeHead(200, { ...JSON_10, date }).end('{}');
      return response.writeHead(403, { ...JSON_10, date }).end('{"__type":"RequestTimeTooSkewed"}');
    });
    await receiveBy(client);
    await receiveBy(client);
    expect(server.requests.map(isFromSdk)).toEqual([true, false, true, false]);
  });

  test('an abort ends the call, and nothing is sent again', async () => {
    const server = await serve();
    const client = new DirectClient(openSdk(server.url, { maxAttempts: 3 }));
    await receiveBy(client);
    server.answer(() => {});
    const stop = new AbortController();
    const arrived = server.next();
    const polled = receiveBy(client, stop.signal);
    await arrived;
    stop.abort();
    await expect(polled).rejects.toMatchObject({ name: 'AbortError' });
    await expect(receiveBy(client, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(server.requests).toHaveLength(2);
  });

  test("a direct success pays into the budget of the SDK's retries", async () => {
    const server = await serve();
    const sdk = openSdk(server.url, { maxAttempts: 2 });
    const client = new DirectClient(sdk);
    await receiveBy(client);
    const strategy = (await sdk.config.retryStrategy()) as unknown as { getCapacity(): number };
    server.answer(json(400, { __type: 'ThrottlingException' }));
    await expect(receiveBy(client)).rejects.toMatchObject({ name: 'ThrottlingException' });
    const spent = strategy.getCapacity();
    server.answer(json(200, {}));
    await receiveBy(client);
    expect(strategy.getCapacity()).toBe(spent + 1);
  });
});

/** Only here: as if a later SDK sent one more. */
function withNewHeader<Args extends { readonly request: unknown }>(args: Args): Args {
  Object.assign((args.request as { headers: object }).headers, { 'x-amz-new': '1' });
  return args;
}

function json(status: number, answer: unknown, headers: Record<string, string> = {}): AnswerRequest {
  return text(status, JSON.stringify(answer), { ...JSON_10, ...headers });
}

function text(status: number, answer: string, headers: Record<string, string> = {}): AnswerRequest {
  return (_request, response) => response.writeHead(status, headers).end(answer);
}

/** What one receive comes to: its records or its fault, and how many requests it took. */
async function outcome(server: TargetServer, receive: () => Promise<Received>): Promise<unknown> {
  const before = server.requests.length;
  const told = await receive().then(
    ({ Messages: messages = [] }) => messages.map(writeRecord),
    (error: unknown) => {
      const { code, serviceCode, message } = toSqsError(error, 'ReceiveMessage');
      return { code, serviceCode, message: message.replace(/\n[^]*/, '') };
    },
  );
  return { told, requests: server.requests.length - before };
}

function isoDate({ headers }: SeenRequest): string {
  return String(headers['x-amz-date']).replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
}
