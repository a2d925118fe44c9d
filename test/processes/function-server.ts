import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One record of an event as the function got it; the fields that tests look at. */
export interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** One invocation, from its arrival on. */
export interface Invocation {
  readonly function: string;
  readonly headers: IncomingHttpHeaders;
  readonly records: readonly SqsRecord[];
  readonly bodies: readonly string[];
  /** The event as it came. */
  readonly text: string;
  /** Bytes of the whole event. */
  readonly bytes: number;
  /** Monotonic, milliseconds. */
  readonly startedAtMs: number;
  /** When its answer was given; `undefined` while it runs. A caller that goes away does not end it, as in Lambda. */
  endedAtMs: number | undefined;
  /** 1 for the first invocation of this function. */
  readonly number: number;
  /** Invocations of this function that ran when this one began, itself included. */
  readonly running: number;
  /** Aborted when the caller goes away before the answer. */
  readonly abandoned: AbortSignal;
}

/** What a function answers: a value is sent as JSON with status 200; a `Response` as it is. */
export type Handler = (invocation: Invocation) => unknown;

/** HTTP functions of a test in one server: each path is a function, each function does what its handler says. */
export class FunctionServer {
  readonly url: string;
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #invocations = new Map<string, Invocation[]>();
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FunctionServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FunctionServer(server);
  }

  /** What the function does from now on; without a handler it succeeds with `{}`. */
  handle(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
  }

  /** All invocations of a function so far, in the order of their arrival. */
  of(name: string): readonly Invocation[] {
    return this.#invocations.get(name) ?? [];
  }

  /** Invocations of a function that have not answered, those whose caller is gone included. */
  running(name: string): number {
    return this.of(name).filter((invocation) => invocation.endedAtMs === undefined).length;
  }

  /** Waits until the function's invocations are as wanted; looks at each arrival and each answer. The test's time-out ends it. */
  async until(name: string, isGood: (invocations: readonly Invocation[]) => boolean): Promise<readonly Invocation[]> {
    while (!isGood(this.of(name))) await once(this.#changes, 'change');
    return this.of(name);
  }

  /** Waits until the function has answered at least `count` invocations. */
  answered(name: string, count: number): Promise<readonly Invocation[]> {
    return this.until(name, (seen) => seen.filter(({ endedAtMs }) => endedAtMs !== undefined).length >= count);
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abandoned = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) abandoned.abort();
    });
    let body: Buffer;
    try {
      body = Buffer.concat(await request.toArray());
    } catch {
      return; // The caller went away before its request was complete: no invocation began.
    }
    const invocation = this.#begin(request, body, abandoned.signal);
    const result = await this.#run(invocation).catch(() => failure());
    const answer = result instanceof Response ? result : Response.json(result);
    invocation.endedAtMs = performance.now();
    if (!abandoned.signal.aborted) {
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
    }
    this.#changes.emit('change');
  }

  async #run(invocation: Invocation): Promise<unknown> {
    return (await this.#handlers.get(invocation.function)?.(invocation)) ?? {};
  }

  #begin({ url = '/', headers }: IncomingMessage, body: Buffer, abandoned: AbortSignal): Invocation {
    const name = url.slice(1);
    const text = body.toString();
    const { Records: records } = JSON.parse(text) as { Records: SqsRecord[] };
    const before = this.#invocations.get(name) ?? [];
    const invocation: Invocation = {
      function: name,
      headers,
      records,
      bodies: records.map((record) => record.body),
      text,
      bytes: body.length,
      startedAtMs: performance.now(),
      endedAtMs: undefined,
      number: before.length + 1,
      running: this.running(name) + 1,
      abandoned,
    };
    before.push(invocation);
    this.#invocations.set(name, before);
    this.#changes.emit('change');
    return invocation;
  }
}

/** What a function answers that raised an error. */
export function failure(): Response {
  return Response.json({ errorType: 'Error', errorMessage: 'failed as asked' }, { status: 500 });
}

/** What a throttled target answers. */
export function throttle(retryAfterSeconds?: number): Response {
  const headers: Record<string, string> = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return Response.json({ Reason: 'ConcurrentInvocationLimitExceeded' }, { status: 429, headers });
}
