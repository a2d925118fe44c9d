import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@wherry/core/clock';
import type { Delivery, InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimClock } from '../sim-clock.ts';
import { TargetServer } from '../target-server.ts';

/** An answer on the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What differs between the kinds of target: how an invoker is made, how each outcome looks on the wire. */
export interface InvokerDialect {
  readonly name: string;
  /** An invoker for a target that listens at `url`, and the function it runs; `Timeout` is 3 s. */
  readonly create: (url: string, clock: Clock) => { readonly invoker: Invoker; readonly function: FunctionDefinition };
  /** Timeout, and what the kind adds to it. */
  readonly deadlineMs: number;
  /** A function that failed with `errorType` `OrderError` and `errorMessage` `boom`. */
  readonly functionError: WireAnswer;
  /** With `Retry-After: 7` where the kind has such a thing, else without. */
  readonly throttle: WireAnswer;
  readonly retryAfterMs: number | undefined;
  /** A fault of the service that counts against nobody. */
  readonly serviceError: WireAnswer;
  /** The delivery as the target can read it. */
  readonly readDelivery: (headers: IncomingHttpHeaders) => unknown;
}

const DELIVERY: Delivery = {
  fleet: 'default',
  mapping: 'orders → priority',
  source: 'arn:aws:sqs:eu-west-1:123456789012:orders',
  batch: '0198c1f2-7d3a-7b4e-9c55-0a1b2c3d4e5f',
  attempt: 2,
  records: 10,
  first: '059f36b4-87a3-44ab-83d2-661975830a7d',
  last: '2e1424d4-f796-459a-8184-9c92662be6da',
  epoch: 17,
};

const TRACE_ID = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

/** Every kind of target turns the same trouble into the same result, and none ever repeats a request. */
export function describeInvoker(dialect: InvokerDialect): void {
  describe(`the ${dialect.name} target as an invoker`, () => {
    let server: TargetServer;
    let clock: SimClock;
    let subject: ReturnType<InvokerDialect['create']>;
    let stop: AbortController;

    const invoke = (overrides: Partial<InvokeRequest> = {}): Promise<InvokeResult> =>
      subject.invoker.invoke({
        function: subject.function,
        payload: Buffer.from('{"Records":[]}'),
        requestId: '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
        delivery: DELIVERY,
        signal: stop.signal,
        ...overrides,
      });
    const answer = (wire: WireAnswer): void =>
      server.answer((_request, response) => response.writeHead(wire.status, wire.headers).end(wire.body));

    beforeEach(async () => {
      server = await TargetServer.start();
      clock = new SimClock();
      subject = dialect.create(server.url, clock.clock());
      stop = new AbortController();
    });

    afterEach(async () => {
      stop.abort();
      await subject.invoker.close();
      await server.close();
    });

    it('returns what the function answered', async () => {
      answer({ status: 200, body: '{"batchItemFailures":[]}' });
      const result = await invoke();
      expect(result).toMatchObject({ kind: 'success', durationMs: 0 });
      expect(text(result)).toBe('{"batchItemFailures":[]}');
    });

    it('takes an empty answer as success', async () => {
      answer({ status: 200, body: '' });
      const result = await invoke();
      expect(result.kind).toBe('success');
      expect(text(result)).toBe('');
    });

    it('delivers and returns large bodies byte by byte as they are', async () => {
      // Spelling that a parser would change: blanks, an escaped slash, a large number, a key given twice.
      const payload = Buffer.from(`{ "a" : "\\/é☃", "n":12345678901234567890.10, "n":1, "fill":"${'☃x'.repeat(700_000)}" }`);
      server.answer((request, response) => response.end(request.body));
      const result = await invoke({ payload });
      expect(Buffer.compare(server.requests[0]!.body, payload)).toBe(0);
      expect(result.kind === 'success' && Buffer.compare(result.body, payload)).toBe(0);
    });

    it('reports an error of the function with its type, message and body', async () => {
      answer(dialect.functionError);
      const result = await invoke();
      expect(result).toMatchObject({ kind: 'functionError', errorType: 'OrderError', errorMessage: 'boom' });
      expect(text(result)).toBe(dialect.functionError.body);
    });

    it('reports a throttle and how long to wait', async () => {
      answer(dialect.throttle);
      const result = await invoke();
      expect(result.kind).toBe('throttled');
      expect(result.kind === 'throttled' ? result.retryAfterMs : 'none').toBe(dialect.retryAfterMs);
    });

    it('reports a fault of the service as unavailable for now', async () => {
      answer(dialect.serviceError);
      expect(await invoke()).toMatchObject({ kind: 'unavailable', permanent: false });
    });

    it('reports a refused connection as unavailable for now', async () => {
      await server.close();
      expect(await invoke()).toMatchObject({
        kind: 'unavailable',
        permanent: false,
        reason: expect.stringContaining('connection refused'),
      });
    });

    it.each([
      ['before the answer', ''],
      ['in the middle of the answer', '{"batchItem'],
    ])('reports a connection cut %s as unavailable, and sends nothing again', async (_when, partial) => {
      server.answer((request, response) => {
        if (partial === '') request.socket.resetAndDestroy();
        else response.writeHead(200, { 'content-length': '100' }).write(partial, () => request.socket.resetAndDestroy());
      });
      expect(await invoke()).toMatchObject({ kind: 'unavailable', permanent: false });
      expect(server.requests).toHaveLength(1);
    });

    it('gives up at its deadline', async () => {
      server.answer(() => {});
      const arrived = server.next();
      const result = invoke();
      await arrived;
      await clock.advance(dialect.deadlineMs - 1);
      expect(await Promise.race([result, Promise.resolve('running')])).toBe('running');
      await clock.advance(1);
      expect(await result).toEqual({ kind: 'timedOut', durationMs: dialect.deadlineMs });
      expect(server.requests).toHaveLength(1);
    });

    it('cuts off an endless answer and counts it as an error of the function', async () => {
      server.answer((_request, response) => {
        const more = (): void => {
          while (response.write(Buffer.alloc(65_536, 120)));
        };
        response.on('drain', more);
        more();
      });
      expect(await invoke()).toMatchObject({ kind: 'functionError', errorType: 'Function.ResponseSizeTooLarge' });
    });

    it('stops at once when told to, and closes the connection', async () => {
      const closed = Promise.withResolvers<void>();
      server.answer((_request, response) => response.on('close', () => closed.resolve()));
      const arrived = server.next();
      const result = invoke();
      await arrived;
      stop.abort();
      expect(await result).toMatchObject({ kind: 'unavailable', permanent: false });
      await closed.promise;
    });

    it('sends nothing when it was told to stop before', async () => {
      stop.abort();
      expect(await invoke()).toMatchObject({ kind: 'unavailable', permanent: false });
      expect(server.requests).toHaveLength(0);
    });

    it('sends each request once, also when a reused connection is cut', async () => {
      for (let round = 0; round < 3; round++) {
        answer({ status: 200, body: '{}' });
        expect((await invoke({ payload: Buffer.from(`{"warm":${round}}`) })).kind).toBe('success');
        server.answer((request) => request.socket.resetAndDestroy());
        expect((await invoke({ payload: Buffer.from(`{"cut":${round}}`) })).kind).toBe('unavailable');
        // A kind that keeps a cut target to itself for a while gives it free again.
        await clock.advance(60_000);
      }
      const bodies = server.requests.map(({ body }) => body.toString());
      expect(bodies).toEqual([0, 1, 2].flatMap((round) => [`{"warm":${round}}`, `{"cut":${round}}`]));
    });

    it('tells the target where the invocation comes from', async () => {
      await invoke({ traceId: TRACE_ID });
      const { headers, method } = server.requests[0]!;
      expect(method).toBe('POST');
      expect(dialect.readDelivery(headers)).toEqual(DELIVERY);
      expect(headers['x-amzn-requestid']).toBe('1b4e28ba-2fa1-41d2-883f-0016d3cca427');
      expect(headers['x-amzn-trace-id']).toBe(TRACE_ID);
    });

    it.each(['Root=1\r\nx-evil: 1', 'Root=☃', '', ' ', 'x'.repeat(2_000)])(
      'leaves out the trace id %j and invokes all the same',
      async (traceId) => {
        expect((await invoke({ traceId })).kind).toBe('success');
        expect(server.requests[0]!.headers).not.toHaveProperty('x-amzn-trace-id');
        expect(server.requests[0]!.headers).not.toHaveProperty('x-evil');
      },
    );
  });
}

function text(result: InvokeResult): string | undefined {
  return 'body' in result ? Buffer.from(result.body).toString() : undefined;
}
