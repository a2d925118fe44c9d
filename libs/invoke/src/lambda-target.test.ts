import { createHash, createHmac } from 'node:crypto';
import { type AwsCredentials, CachedCredentials } from '@wherry/core/cached-credentials';
import type { Clock } from '@wherry/core/clock';
import type { InvokeRequest } from '@wherry/core/invoke';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { describeInvoker } from '@wherry/testkit/contracts/invoker';
import { SimClock } from '@wherry/testkit/sim-clock';
import { TargetServer, type SeenRequest } from '@wherry/testkit/target-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpClient } from './http-client.ts';
import { LambdaTarget, type LambdaTargetSettings } from './lambda-target.ts';

const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';
const KEYS: AwsCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG', sessionToken: 'token+/=' };
const FAILURE = '{"errorMessage":"boom","errorType":"OrderError","trace":["at x"]}';

function create(
  url: string,
  clock: Clock,
  settings: Partial<LambdaTargetSettings> = {},
  fetchCredentials: () => Promise<AwsCredentials> = () => Promise.resolve(KEYS),
) {
  const aws = { region: 'eu-west-1', endpoint: `${url}/`, maxAttempts: 1 };
  const target: LambdaTargetSettings = { kind: 'lambda', functionName: 'orders', aws, ...settings };
  const client = new HttpClient({ clock, network: { blockPrivate: false, allow: [] } });
  const credentials = new CachedCredentials(fetchCredentials, { clock, random: () => 0.5 });
  const fn: FunctionDefinition = { name: 'orders', arn: ARN, target, timeoutSeconds: 3 };
  return { invoker: new LambdaTarget(target, client, credentials, clock), function: fn };
}

describeInvoker({
  name: 'lambda',
  create: (url, clock) => create(url, clock),
  deadlineMs: 8_000,
  functionError: { status: 200, headers: { 'X-Amz-Function-Error': 'Unhandled' }, body: FAILURE },
  throttle: {
    status: 429,
    headers: { 'Retry-After': '7', 'x-amzn-ErrorType': 'TooManyRequestsException' },
    body: '{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}',
  },
  retryAfterMs: 7_000,
  serviceError: { status: 500, headers: { 'x-amzn-ErrorType': 'ServiceException' }, body: '{"Type":"Service","Message":"oops"}' },
  readDelivery: (headers) => {
    const context = JSON.parse(Buffer.from(String(headers['x-amz-client-context']), 'base64').toString()) as {
      custom: { wherry: unknown };
    };
    return context.custom.wherry;
  },
});

describe('LambdaTarget', () => {
  let server: TargetServer;
  let clock: SimClock;

  beforeEach(async () => {
    server = await TargetServer.start();
    clock = new SimClock();
  });
  afterEach(() => server.close());

  function setup(settings: Partial<LambdaTargetSettings> = {}, fetchCredentials?: () => Promise<AwsCredentials>) {
    const subject = create(server.url, clock.clock(), settings, fetchCredentials);
    return (overrides: Partial<InvokeRequest> = {}) =>
      subject.invoker.invoke({
        function: subject.function,
        payload: Buffer.from('{"é":1}'),
        requestId: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
        delivery: { fleet: 'f', mapping: 'm', source: 's', batch: 'b', attempt: 1, records: 1, first: 'a', last: 'z', epoch: 1 },
        signal: new AbortController().signal,
        ...overrides,
      });
  }

  it.each([
    ['orders', undefined, undefined, '/2015-03-31/functions/orders/invocations'],
    ['orders', 'live', undefined, '/2015-03-31/functions/orders/invocations?Qualifier=live'],
    ['orders', 'live', '7', '/2015-03-31/functions/orders/invocations?Qualifier=7'],
    [ARN, '$LATEST', undefined, `/2015-03-31/functions/${encodeURIComponent(ARN)}/invocations?Qualifier=%24LATEST`],
  ])('calls %s with the qualifier %s (of the mapping: %s) synchronously and signed', async (functionName, own, mapping, path) => {
    const invoke = setup({ functionName, ...(own === undefined ? {} : { qualifier: own }) });
    expect((await invoke(mapping === undefined ? {} : { qualifier: mapping })).kind).toBe('success');
    const seen = server.requests[0]!;
    expect(seen.path).toBe(path);
    expect(seen.headers).toMatchObject({
      'x-amz-invocation-type': 'RequestResponse',
      'x-amz-security-token': KEYS.sessionToken,
      'x-amz-date': '20231114T221320Z',
    });
    expect(signatureOf(seen)).toBe(expectedSignature(seen, KEYS.secretAccessKey));
  });

  it('returns the executed version', async () => {
    server.answer((_request, response) => response.writeHead(200, { 'X-Amz-Executed-Version': '7' }).end('null'));
    expect(await setup()()).toMatchObject({ kind: 'success', executedVersion: '7' });
  });

  it('leaves out a request id that Lambda would refuse', async () => {
    await setup()({ requestId: 'not-a-uuid' });
    expect(server.requests[0]!.headers).not.toHaveProperty('x-amzn-requestid');
  });

  it('leaves out a client context that Lambda would refuse, not the invocation', async () => {
    const delivery = {
      fleet: 'f',
      mapping: 'm'.repeat(3_000),
      source: 's',
      batch: 'b',
      attempt: 1,
      records: 1,
      first: 'a',
      last: 'z',
      epoch: 1,
    };
    expect((await setup()({ delivery })).kind).toBe('success');
    expect(server.requests[0]!.headers).not.toHaveProperty('x-amz-client-context');
  });

  it('signs with the time of the service after a signature was refused for its time', async () => {
    const invoke = setup();
    const serviceTime = new Date(clock.nowMs() + 900_000).toUTCString();
    server.answer((_request, response) =>
      response
        .writeHead(403, { 'x-amzn-ErrorType': 'InvalidSignatureException', Date: serviceTime })
        .end('{"message":"Signature expired: 20231114T221320Z is now earlier than 20231114T222320Z"}'),
    );
    expect(await invoke()).toMatchObject({ kind: 'unavailable', permanent: false, reason: expect.stringContaining('differs by 900 s') });
    server.answer((_request, response) => response.end());
    expect((await invoke()).kind).toBe('success');
    expect(server.requests[1]!.headers['x-amz-date']).toBe('20231114T222820Z');
  });

  it.each(['InvalidSignatureException', 'UnrecognizedClientException'])('reports %s as permanent when the clocks agree', async (name) => {
    const serviceTime = new Date(clock.nowMs()).toUTCString();
    server.answer((_request, response) => response.writeHead(403, { 'x-amzn-ErrorType': name, Date: serviceTime }).end('{"message":"no"}'));
    expect(await setup()()).toMatchObject({ kind: 'unavailable', permanent: true, reason: `${name}: no` });
  });

  it('fetches new keys after the service has refused the ones in hand', async () => {
    let fetches = 0;
    const invoke = setup({}, () => Promise.resolve({ ...KEYS, accessKeyId: `AKID${++fetches}` }));
    await invoke();
    await invoke();
    server.answer((_request, response) => response.writeHead(403, { 'x-amzn-ErrorType': 'ExpiredTokenException' }).end());
    expect(await invoke()).toMatchObject({ kind: 'unavailable', permanent: false });
    await invoke();
    expect(server.requests.map(({ headers }) => /AKID\d/.exec(String(headers.authorization))?.[0])).toEqual([
      'AKID1',
      'AKID1',
      'AKID1',
      'AKID2',
    ]);
  });

  it('is unavailable, and sends nothing, while there are no credentials', async () => {
    const invoke = setup({}, () => Promise.reject(new Error('no role')));
    expect(await invoke()).toMatchObject({ kind: 'unavailable', permanent: false, reason: 'no AWS credentials: Error: no role' });
    expect(server.requests).toHaveLength(0);
  });

  it('does not wait for a hanging credential provider when told to stop', async () => {
    const stop = new AbortController();
    const result = setup({}, () => new Promise(() => {}))({ signal: stop.signal });
    stop.abort();
    expect(await result).toMatchObject({ kind: 'unavailable', reason: 'stopped before the answer' });
  });
});

function signatureOf(seen: SeenRequest): string | undefined {
  return /Signature=([0-9a-f]{64})$/.exec(String(seen.headers.authorization))?.[1];
}

/** Signature Version 4 as the documentation states it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. */
function expectedSignature(seen: SeenRequest, secret: string): string {
  const [, scope = '', signedHeaders = ''] = /Credential=[^/]+\/(\S+), SignedHeaders=(\S+),/.exec(String(seen.headers.authorization)) ?? [];
  const [path = '', query = ''] = seen.path.split('?');
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(seen.headers[name])}\n`);
  // Every service but S3 takes the path encoded once more.
  const canonicalPath = path.split('/').map(encodeURIComponent).join('/');
  const canonical = ['POST', canonicalPath, query, headers.join(''), signedHeaders, hash(seen.body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', String(seen.headers['x-amz-date']), scope, hash(canonical)].join('\n');
  return mac(
    scope.split('/').reduce<Buffer | string>((key, part) => mac(key, part), `AWS4${secret}`),
    toSign,
  ).toString('hex');
}

function hash(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function mac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
