import type { ServerResponse } from 'node:http';
import type { SeenRequest, TargetServer } from '@wherry/testkit/target-server';

/** What a receive and an invocation take. */
const RECEIVE_MS = 50;
const INVOKE_MS = 200;

/** One poller's turn at a queue. */
interface Turn {
  readonly reader: string;
  readonly sinceMs: number;
}

/** Queues that always have a message, and a function; both remember who asked, by the access key of the call's signature. */
export class FailoverService {
  readonly #turns = new Map<string, Turn>();
  readonly #invocationEndsMs = new Map<string, number>();
  #messages = 0;

  constructor(server: TargetServer) {
    server.answer((request, response) => this.#answer(request, response));
  }

  /** Who asked this queue last. */
  reader(queue: string): string | undefined {
    return this.#turns.get(queue)?.reader;
  }

  queuesReadBy(poller: string): string[] {
    return [...this.#turns].filter(([, turn]) => turn.reader === poller).map(([queue]) => queue);
  }

  /** When the poller that asked last asked for the first time in a row, on the monotonic clock. */
  readSinceMs(queue: string): number {
    return this.#turns.get(queue)?.sinceMs ?? Number.NaN;
  }

  /** When the last invocation for this queue by this poller was answered, 0 if there was none. */
  lastInvocationEndMs(queue: string, poller: string): number {
    return this.#invocationEndsMs.get(`${queue} ${poller}`) ?? 0;
  }

  #answer({ headers, body }: SeenRequest, response: ServerResponse): void {
    const poller = /Credential=([^/]+)\//.exec(String(headers.authorization))?.[1] ?? '';
    const operation = String(headers['x-amz-target'] ?? 'Invoke').replace('AmazonSQS.', '');
    const input = operation === 'Invoke' ? {} : (JSON.parse(body.toString()) as { QueueName?: string; QueueUrl?: string });
    const queue = input.QueueUrl?.split('/').at(-1) ?? '';
    switch (operation) {
      case 'GetQueueUrl':
        return reply(response, { QueueUrl: `http://${headers.host}/000000000000/${input.QueueName}` });
      case 'GetQueueAttributes':
        return reply(response, { Attributes: { VisibilityTimeout: '60' } });
      case 'ReceiveMessage':
        if (this.reader(queue) !== poller) this.#turns.set(queue, { reader: poller, sinceMs: performance.now() });
        return reply(response, { Messages: [this.#message()] }, RECEIVE_MS);
      case 'Invoke': {
        const delivery = JSON.parse(String(headers['x-wherry-delivery'])) as { mapping: string };
        this.#invocationEndsMs.set(`${delivery.mapping} ${poller}`, performance.now() + INVOKE_MS);
        return reply(response, {}, INVOKE_MS);
      }
      default:
        return reply(response, { Successful: [], Failed: [] });
    }
  }

  #message(): object {
    this.#messages += 1;
    return {
      MessageId: `m-${this.#messages}`,
      ReceiptHandle: `r-${this.#messages}`,
      Body: '',
      MD5OfBody: 'd41d8cd98f00b204e9800998ecf8427e',
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1700000000000' },
    };
  }
}

function reply(response: ServerResponse, answer: object, afterMs = 0): void {
  setTimeout(() => response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer)), afterMs);
}
