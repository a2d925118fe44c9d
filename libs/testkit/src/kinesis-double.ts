import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { CallFaults, operationOf, type FaultRule } from './call-faults.ts';
import { consumerArn, DoubleError, PLAIN_CALLS } from './double-calls.ts';
import { DoubleStream } from './double-stream.ts';
import { DoubleSubscription, type DoublePosition, type SubscriptionTimes } from './double-subscription.ts';
import type { FaultProxy } from './fault-proxy.ts';

const require = createRequire(import.meta.url);

/** What AWS documents: an event about every 5 s, an end after 5 minutes, nobody else within 5 s. */
const AWS_TIMES: SubscriptionTimes = { heartbeatMs: 5_000, lifetimeMs: 300_000, exclusiveMs: 5_000, recordsPerEvent: 10_000 };
/** How long a consumer is `CREATING`. */
const ACTIVE_AFTER_MS = 20;

interface SubscribeInput {
  readonly ConsumerARN: string;
  readonly ShardId: string;
  readonly StartingPosition: DoublePosition;
}

/**
 * Kinesis with enhanced fan-out as AWS serves it, in the test process: subscriptions over HTTP/2 and TLS alone, everything else over
 * HTTP/1.1 too. It does what emulators do not: subscriptions that end, take each other's place, fall silent, fail in the middle, and
 * name the children at the end of a shard. Only loopback, with a certificate that nobody else trusts.
 */
export class KinesisDouble implements FaultProxy {
  readonly url: string;
  /** All subscriptions since the beginning, in order. */
  readonly subscriptions: DoubleSubscription[] = [];
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #times: SubscriptionTimes;
  readonly #streams = new Map<string, DoubleStream>();
  readonly #newest = new Map<string, DoubleSubscription>();
  readonly #faults = new CallFaults();

  private constructor(server: Http2SecureServer, times: SubscriptionTimes) {
    this.#server = server;
    this.#times = times;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** @param times those of AWS unless given */
  static async start(times: Partial<SubscriptionTimes> = {}): Promise<KinesisDouble> {
    // The key pair of the emulator among the dev dependencies: made for tests, and no secret.
    const { key, cert } = (require('kinesis-local/server.json') as { server: { key: string; cert: string } }).server;
    const server = createSecureServer({ key, cert, allowHTTP1: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KinesisDouble(server, { ...AWS_TIMES, ...times });
  }

  createStream(shardCount: number, name = `stream-${randomUUID()}`): DoubleStream {
    const stream = new DoubleStream(name, shardCount);
    stream.onChange = () => this.subscriptions.forEach((one) => void one.send());
    this.#streams.set(stream.arn, stream);
    return stream;
  }

  deleteStream(stream: DoubleStream): void {
    this.#streams.delete(stream.arn);
    for (const one of this.subscriptions) {
      if (stream.shards.includes(one.shard)) one.fail('ResourceNotFoundException', `Stream ${stream.name} not found.`);
    }
  }

  inject(rule: FaultRule): () => void {
    return this.#faults.inject(rule);
  }

  clear(): void {
    this.#faults.clear();
  }

  count(operation: string): number {
    return this.#faults.count(operation);
  }

  arrived(operation: string, calls: number): Promise<void> {
    return this.#faults.arrived(operation, calls);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    // A caller that went away is no concern of the double.
    request.on('error', () => {});
    response.on('error', () => {});
    const input = JSON.parse(String(await buffer(request).catch(() => '{}'))) as object;
    const operation = operationOf(request.headers['x-amz-target'], request.url);
    const fault = this.#faults.take(operation);
    if (fault?.kind === 'blackHole') return;
    if (fault?.kind === 'error') {
      answer(response, fault.status, { __type: fault.code, message: fault.message ?? 'injected' });
    } else if (fault !== undefined) {
      (request.stream?.session ?? request.socket).destroy();
    } else {
      this.#answer(operation, input, request, response);
    }
  }

  #answer(operation: string, input: object, request: Http2ServerRequest, response: Http2ServerResponse): void {
    try {
      const call = PLAIN_CALLS[operation];
      if (operation === 'SubscribeToShard') this.#subscribe(input as SubscribeInput, request);
      else if (call === undefined) throw new DoubleError('UnknownOperationException', `the double has no ${operation}`);
      else
        answer(
          response,
          200,
          call(input, (arn) => this.#find(arn), ACTIVE_AFTER_MS),
        );
    } catch (error) {
      if (!(error instanceof DoubleError)) throw error;
      answer(response, 400, { __type: error.code, message: error.message });
    }
  }

  #subscribe({ ConsumerARN, ShardId, StartingPosition }: SubscribeInput, request: Http2ServerRequest): void {
    // Inferred: AWS documents HTTP/2 and not what it answers to anything else.
    if (request.httpVersionMajor < 2) throw new DoubleError('InvalidArgumentException', 'SubscribeToShard is served over HTTP/2');
    const stream = this.#find(ConsumerARN.split('/consumer/')[0] ?? '');
    const activeAt = [...stream.consumers].find(([name]) => consumerArn(stream, name) === ConsumerARN)?.[1];
    if (activeAt === undefined) throw new DoubleError('ResourceNotFoundException', `Consumer ${ConsumerARN} not found.`);
    const shard = stream.shards.find(({ id }) => id === ShardId);
    if (shard === undefined) throw new DoubleError('ResourceNotFoundException', `Shard ${ShardId} in stream ${stream.name} does not exist`);
    const key = `${ConsumerARN} ${ShardId}`;
    const former = this.#newest.get(key);
    if (Date.now() < activeAt || (former !== undefined && Date.now() - former.sinceMs < this.#times.exclusiveMs)) {
      throw new DoubleError('ResourceInUseException', `Another active subscription exists for consumer ${ConsumerARN} on shard ${ShardId}`);
    }
    const subscription = new DoubleSubscription(stream, shard, StartingPosition, request.stream, this.#times);
    this.#newest.set(key, subscription);
    this.subscriptions.push(subscription);
    former?.fail('ResourceInUseException', `Another subscription took over shard ${ShardId}`);
  }

  #find(arn: string): DoubleStream {
    const stream = this.#streams.get(arn);
    if (stream === undefined) throw new DoubleError('ResourceNotFoundException', `Stream ${arn} not found.`);
    return stream;
  }
}

function answer(response: Http2ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}
