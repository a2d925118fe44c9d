import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the sample function tells the demo about one finished invocation. */
export interface Finished {
  /** Path the event came to: `/orders` or `/payments`. */
  readonly path: string;
  /** Ids of the messages that were handled. */
  readonly acknowledged: readonly string[];
}

interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

interface Order {
  readonly id: string;
  readonly poison?: boolean;
  readonly group?: string;
}

/**
 * A plain HTTP service with Lambda's event shape, such as a team would run behind a mapping. It is not well behaved on purpose:
 * a poison order fails every time, one whole invocation in forty answers 500, and a payment here and there fails at its first try.
 */
export class SampleFunction {
  #server: Server;
  #random: () => number;
  #onFinished: (finished: Finished) => void;
  readonly counts = { invocations: 0, failedInvocations: 0, failedItems: 0 };

  constructor(random: () => number, onFinished: (finished: Finished) => void) {
    this.#random = random;
    this.#onFinished = onFinished;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(JSON.stringify({ errorType: 'SampleFunctionError', errorMessage: String(error) }));
      });
    });
  }

  /** Starts listening on a free loopback port. @returns the base URL */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`));
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event = JSON.parse(Buffer.concat(chunks).toString()) as { Records: SqsRecord[] };
    this.counts.invocations += 1;
    await workFor(2 + this.#random() * 20);
    if (this.#random() < 1 / 40) {
      this.counts.failedInvocations += 1;
      response.statusCode = 500;
      response.end(JSON.stringify({ errorType: 'OutOfLuck', errorMessage: 'this invocation fails on purpose' }));
      return;
    }
    const { acknowledged, failed } = this.#handle(event.Records);
    this.counts.failedItems += failed.length;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }));
    this.#onFinished({ path: request.url ?? '/', acknowledged });
  }

  /** Handles records in order; after a failure the rest of that message group is handed back too, so that its order holds. */
  #handle(records: readonly SqsRecord[]): { acknowledged: string[]; failed: string[] } {
    const acknowledged: string[] = [];
    const failed: string[] = [];
    const stoppedGroups = new Set<string>();
    for (const record of records) {
      const order = JSON.parse(record.body) as Order;
      const isFirstTry = record.attributes.ApproximateReceiveCount === '1';
      const fails = order.poison === true || (order.group !== undefined && isFirstTry && this.#random() < 1 / 50);
      if (fails || (order.group !== undefined && stoppedGroups.has(order.group))) {
        failed.push(record.messageId);
        if (order.group !== undefined) stoppedGroups.add(order.group);
      } else {
        acknowledged.push(order.id);
      }
    }
    return { acknowledged, failed };
  }
}

function workFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
