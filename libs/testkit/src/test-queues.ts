import { randomUUID } from 'node:crypto';
import { callAws } from './aws-json-call.ts';

/** One queue of the SQS side of a test, which makes queues, sends and looks. */
export interface TestQueue {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
}

/** What kind of queue a test wants; a standard one with SQS's defaults unless told otherwise. */
export interface TestQueueOptions {
  /** Adds `.fifo` to the name. */
  readonly fifo?: boolean;
  /** A fixed name without `.fifo`; a fresh one unless given. */
  readonly name?: string;
  readonly visibilityTimeoutSeconds?: number;
  /** Receives after which SQS moves a message to the dead-letter queue. */
  readonly redrive?: { readonly deadLetterQueue: TestQueue; readonly maxReceiveCount: number };
  /** Further queue attributes under SQS's own names. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** One message to send. On a FIFO queue without `deduplicationId` a fresh one is made. */
export interface TestMessage {
  readonly body: string;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** `BinaryValue` in base64. */
  readonly attributes?: Readonly<
    Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
  >;
  readonly traceHeader?: string;
}

/** What is in a queue, by SQS's own count. */
export interface TestQueueCounts {
  readonly visible: number;
  readonly notVisible: number;
}

/** The queues of one backend. */
export class TestQueues {
  readonly #endpoint: string;
  readonly #region: string;

  constructor(endpoint: string, region = 'us-east-1') {
    this.#endpoint = endpoint;
    this.#region = region;
  }

  async create(options: TestQueueOptions = {}): Promise<TestQueue> {
    const name = `${options.name ?? `queue-${randomUUID()}`}${options.fifo === true ? '.fifo' : ''}`;
    const attributes: Record<string, string> = { VisibilityTimeout: String(options.visibilityTimeoutSeconds ?? 30), ...options.attributes };
    if (options.fifo === true) attributes['FifoQueue'] = 'true';
    if (options.redrive !== undefined) {
      const { deadLetterQueue, maxReceiveCount } = options.redrive;
      attributes['RedrivePolicy'] = JSON.stringify({ deadLetterTargetArn: deadLetterQueue.arn, maxReceiveCount });
    }
    const { QueueUrl: url } = await this.call<{ QueueUrl: string }>('CreateQueue', { QueueName: name, Attributes: attributes });
    const { QueueArn: arn } = await this.attributes(url, ['QueueArn']);
    if (arn === undefined) throw new Error(`queue ${name} has no ARN`);
    return { name, url, arn };
  }

  async delete(queue: TestQueue): Promise<void> {
    await this.call('DeleteQueue', { QueueUrl: queue.url });
  }

  /** Sends in calls of ten, in order. @returns the message ids in the order given */
  async send(queue: TestQueue, messages: readonly TestMessage[]): Promise<string[]> {
    const ids: string[] = [];
    for (let start = 0; start < messages.length; start += 10) {
      const entries = messages.slice(start, start + 10).map((message, index) => sendEntry(queue, message, index));
      const answer = await this.call<{ Successful?: { Id: string; MessageId: string }[]; Failed?: unknown[] }>('SendMessageBatch', {
        QueueUrl: queue.url,
        Entries: entries,
      });
      if ((answer.Failed ?? []).length > 0) throw new Error(`not sent to ${queue.name}: ${JSON.stringify(answer.Failed)}`);
      const byId = new Map((answer.Successful ?? []).map((sent) => [sent.Id, sent.MessageId]));
      ids.push(...entries.map((entry) => byId.get(entry.Id) ?? ''));
    }
    return ids;
  }

  async count(queue: TestQueue): Promise<TestQueueCounts> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
    const found = await this.attributes(queue.url, names);
    return { visible: Number(found[names[0]!]), notVisible: Number(found[names[1]!]) };
  }

  /** Receives up to ten bodies and deletes them; for looking into a dead-letter queue. */
  async drain(queue: TestQueue, waitTimeSeconds = 0): Promise<string[]> {
    const answer = await this.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('ReceiveMessage', {
      QueueUrl: queue.url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: waitTimeSeconds,
    });
    const messages = answer.Messages ?? [];
    for (const message of messages) await this.call('DeleteMessage', { QueueUrl: queue.url, ReceiptHandle: message.ReceiptHandle });
    return messages.map((message) => message.Body);
  }

  async attributes(url: string, names: readonly string[]): Promise<Partial<Record<string, string>>> {
    const input = { QueueUrl: url, AttributeNames: names };
    const answer = await this.call<{ Attributes?: Record<string, string> }>('GetQueueAttributes', input);
    return answer.Attributes ?? {};
  }

  /** Any operation of SQS. Throws with the server's answer unless it is 200. */
  async call<Answer>(operation: string, input: object): Promise<Answer> {
    return await callAws<Answer>({ endpoint: this.#endpoint, service: 'sqs', target: 'AmazonSQS', region: this.#region }, operation, input);
  }
}

function sendEntry(queue: TestQueue, message: TestMessage, index: number): { Id: string } & Record<string, unknown> {
  const isFifo = queue.name.endsWith('.fifo');
  const system = { AWSTraceHeader: { DataType: 'String', StringValue: message.traceHeader } };
  return {
    Id: String(index),
    MessageBody: message.body,
    ...(message.attributes === undefined ? {} : { MessageAttributes: message.attributes }),
    ...(message.traceHeader === undefined ? {} : { MessageSystemAttributes: system }),
    ...(message.groupId === undefined ? {} : { MessageGroupId: message.groupId }),
    ...(isFifo ? { MessageDeduplicationId: message.deduplicationId ?? randomUUID() } : {}),
  };
}
