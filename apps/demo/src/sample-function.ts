import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { changeId } from './cart-table.ts';

/** What the sample function tells the demo about one finished invocation. */
export interface Finished {
  /** Path the event came to, such as `/orders`. */
  readonly path: string;
  /** Ids of the messages or records that were handled. */
  readonly acknowledged: readonly string[];
  /** Shards that they came from; none for a queue. */
  readonly shardIds: readonly string[];
}

/** The part of Lambda's records that the function reads. */
interface SqsRecord {
  readonly eventSource: 'aws:sqs';
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

interface KinesisRecord {
  readonly eventSource: 'aws:kinesis';
  /** `<shard id>:<sequence number>` */
  readonly eventID: string;
  /** In base64. */
  readonly kinesis: { readonly data: string };
}

interface DynamoDbRecord {
  readonly eventSource: 'aws:dynamodb';
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly Keys: { readonly id: { readonly S: string } };
    readonly NewImage?: { readonly status: { readonly S: string } };
  };
}

interface Order {
  readonly id: string;
  readonly poison?: boolean;
  readonly group?: string;
}

/** What became of a batch: ids that were handled, and item identifiers that must come again. */
interface Handled {
  readonly acknowledged: readonly string[];
  readonly failed: readonly string[];
  readonly shardIds?: readonly string[];
}

/**
 * A plain HTTP service with Lambda's event shapes, such as a team would run behind a mapping. It is not well behaved on purpose:
 * a poison order fails every time, a poison click takes its whole batch with it, one whole invocation in forty answers 500, and
 * a payment or a change of a cart here and there fails at its first try.
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
      this.#serve(request, response).catch((error: unknown) => fail(response, 'SampleFunctionError', String(error)));
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
    const event = JSON.parse(Buffer.concat(chunks).toString()) as { Records: (SqsRecord | KinesisRecord | DynamoDbRecord)[] };
    this.counts.invocations += 1;
    await workFor(2 + this.#random() * 20);
    const handled = this.#random() < 1 / 40 ? undefined : this.#handle(event.Records);
    if (handled === undefined) {
      this.counts.failedInvocations += 1;
      fail(response, 'OutOfLuck', 'this invocation fails on purpose');
      return;
    }
    const { acknowledged, failed, shardIds = [] } = handled;
    this.counts.failedItems += failed.length;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }));
    this.#onFinished({ path: request.url ?? '/', acknowledged, shardIds });
  }

  /** @returns undefined if the whole batch fails */
  #handle(records: readonly (SqsRecord | KinesisRecord | DynamoDbRecord)[]): Handled | undefined {
    const ofQueue = records.filter((record) => record.eventSource === 'aws:sqs');
    if (ofQueue.length > 0) return this.#handleMessages(ofQueue);
    const ofTable = records.filter((record) => record.eventSource === 'aws:dynamodb');
    if (ofTable.length > 0) return this.#handleChanges(ofTable);
    return handleClicks(records.filter((record) => record.eventSource === 'aws:kinesis'));
  }

  /** Handles messages in order; after a failure the rest of that message group is handed back too, so that its order holds. */
  #handleMessages(records: readonly SqsRecord[]): Handled {
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

  /** Handles changes in order up to the first that fails; from that one on they come again. */
  #handleChanges(records: readonly DynamoDbRecord[]): Handled {
    const acknowledged: string[] = [];
    for (const { dynamodb } of records) {
      if (this.#random() < 1 / 100) return { acknowledged, failed: [dynamodb.SequenceNumber] };
      acknowledged.push(changeId(dynamodb.Keys.id.S, dynamodb.NewImage?.status.S));
    }
    return { acknowledged, failed: [] };
  }
}

/** All clicks of a batch or none: the function is one that knows nothing of partial answers. */
function handleClicks(records: readonly KinesisRecord[]): Handled | undefined {
  const clicks = records.map(({ kinesis }) => JSON.parse(Buffer.from(kinesis.data, 'base64').toString()) as Order);
  if (clicks.some(({ poison }) => poison === true)) return undefined;
  const shardIds = new Set(records.map(({ eventID }) => eventID.slice(0, eventID.indexOf(':'))));
  return { acknowledged: clicks.map(({ id }) => id), failed: [], shardIds: [...shardIds] };
}

function fail(response: ServerResponse, errorType: string, errorMessage: string): void {
  response.statusCode = 500;
  response.end(JSON.stringify({ errorType, errorMessage }));
}

function workFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
