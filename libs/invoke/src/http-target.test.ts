import { createHmac } from 'node:crypto';
import type { InvokeResult } from '@wherry/core/invoke';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { describeInvoker } from '@wherry/testkit/contracts/invoker';
import { SimClock } from '@wherry/testkit/sim-clock';
import { TargetServer } from '@wherry/testkit/target-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpClient } from './http-client.ts';
import { HttpTarget, type HttpTargetSettings } from './http-target.ts';

const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';

function create(target: HttpTargetSettings, clock = new SimClock().clock()) {
  const client = new HttpClient({ clock, network: { blockPrivate: false, allow: [] } });
  const fn: FunctionDefinition = { name: 'orders', arn: ARN, target, timeoutSeconds: 3 };
  return { invoker: new HttpTarget(target, client, clock), function: fn };
}

const FAILURE = '{"errorMessage":"boom","errorType":"OrderError","trace":["at x"]}';

describeInvoker({
  name: 'http',
  create: (url, clock) => create({ kind: 'http', url: `${url}/e`, headers: {} }, clock),
  deadlineMs: 3_000,
  functionError: { status: 200, headers: { 'X-Amz-Function-Error': 'Unhandled' }, body: FAILURE },
  throttle: { status: 429, headers: { 'Retry-After': '7' }, body: '' },
  retryAfterMs: 7_000,
  serviceError: { status: 503, body: 'upstream' },
  readDelivery: (headers) => JSON.parse(String(headers['x-wherry-delivery'])),
});

describe('HttpTarget', () => {
  let server: TargetServer;

  beforeEach(async () => {
    server = await TargetServer.start();
  });
  afterEach(() => server.close());

  async function invoke(extra: Partial<HttpTargetSettings> = {}, payload = '{"Records":[]}'): Promise<InvokeResult> {
    const subject = create({ kind: 'http', url: `${server.url}/hook?tenant=7`, headers: {}, ...extra });
    const result = await subject.invoker.invoke({
      function: subject.function,
      payload: Buffer.from(payload),
      requestId: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
      delivery: { fleet: 'f', mapping: 'm', source: 's', batch: 'b', attempt: 1, records: 1, first: 'a', last: 'z', epoch: 1 },
      signal: new AbortController().signal,
    });
    await subject.invoker.close();
    return result;
  }

  it.each([
    [200, 'success'],
    [201, 'success'],
    [204, 'success'],
    [299, 'success'],
    [408, 'unavailable'],
    [429, 'throttled'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [504, 'unavailable'],
    [301, 'functionError'],
    [302, 'functionError'],
    [307, 'functionError'],
    [400, 'functionError'],
    [401, 'functionError'],
    [403, 'functionError'],
    [404, 'functionError'],
    [413, 'functionError'],
    [418, 'functionError'],
    [500, 'functionError'],
    [501, 'functionError'],
    [505, 'functionError'],
    [599, 'functionError'],
  ])('status %i is %s', async (status, kind) => {
    server.answer((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end());
    expect((await invoke()).kind).toBe(kind);
    expect(server.requests).toHaveLength(1);
  });

  it('names the status where the error says nothing of its own', async () => {
    server.answer((_request, response) => response.writeHead(500).end('oh no'));
    const result = await invoke();
    expect(result).toMatchObject({ kind: 'functionError', errorType: 'Http.Status500', errorMessage: 'HTTP status 500' });
    expect('body' in result && Buffer.from(result.body).toString()).toBe('oh no');
  });

  it('says that a redirect was not followed', async () => {
    server.answer((_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end());
    expect(await invoke()).toMatchObject({ errorType: 'Http.Status302', errorMessage: expect.stringContaining('redirect not followed') });
  });

  it('takes type and message from the body of any failing status', async () => {
    server.answer((_request, response) => response.writeHead(500).end(FAILURE));
    expect(await invoke()).toMatchObject({ errorType: 'OrderError', errorMessage: 'boom' });
  });

  it('takes the mark itself as type when a marked answer is not JSON', async () => {
    server.answer((_request, response) => response.writeHead(200, { 'x-amz-function-error': 'Handled' }).end('nope'));
    expect(await invoke()).toMatchObject({ kind: 'functionError', errorType: 'Handled' });
  });

  it('posts to the URL with its query, as JSON, with configured headers and a bearer token', async () => {
    await invoke({ headers: { 'X-Api-Key': 'k', 'Content-Type': 'application/vnd.orders+json' }, bearer: { token: 't0k' } });
    const { headers, path } = server.requests[0]!;
    expect(path).toBe('/hook?tenant=7');
    expect(headers).toMatchObject({ 'x-api-key': 'k', 'content-type': 'application/vnd.orders+json', authorization: 'Bearer t0k' });
    await invoke();
    expect(server.requests[1]!.headers['content-type']).toBe('application/json');
  });

  it('signs timestamp and raw body so that the receiver can check both', async () => {
    await invoke({ hmac: { secret: 'sésame', header: 'X-Hub-Signature-256' } }, '{"é":1}');
    const { body, headers } = server.requests[0]!;
    const timestamp = String(headers['x-wherry-timestamp']);
    expect(timestamp).toBe('1700000000');
    const expected = createHmac('sha256', 'sésame')
      .update(Buffer.concat([Buffer.from(`${timestamp}.`), body]))
      .digest('hex');
    expect(headers['x-hub-signature-256']).toBe(`sha256=${expected}`);
  });

  it.each([
    ['x-bad\r\nevil', 'zzz'],
    ['x-bad', 'a\r\nb: c'],
    ['x-bad', '☃'],
    ['content-length', '17'],
  ])('reports the unusable header %j: %j as permanent, without its value', async (name, value) => {
    const result = await invoke({ headers: { [name]: value } });
    expect(result).toMatchObject({ kind: 'unavailable', permanent: true });
    expect('reason' in result && result.reason).not.toContain(value);
    expect(server.requests).toHaveLength(0);
  });

  it('reports a forbidden address as permanent', async () => {
    expect(await invoke({ url: 'http://169.254.169.254/latest' })).toMatchObject({ kind: 'unavailable', permanent: true });
  });
});
