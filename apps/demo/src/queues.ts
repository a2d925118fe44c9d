import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { credentials } from './emulators.ts';

/** What the demo sends; the function reads it back. The filters let placed orders and payments of some amount through. */
export interface Order {
  readonly id: string;
  readonly status?: 'placed' | 'draft';
  readonly amount?: number;
  readonly group?: string;
  readonly poison?: boolean;
}

/** A queue with its dead-letter queue. */
export interface DemoQueue {
  readonly name: string;
  readonly url: string;
  readonly deadLetterUrl: string;
}

/** The demo's own view of SQS: it makes queues, fills them and looks into the dead-letter queues. */
export class Queues {
  #client: SQSClient;

  constructor(endpoint: string) {
    this.#client = new SQSClient({
      endpoint,
      region: 'us-east-1',
      credentials,
      useQueueUrlAsEndpoint: false,
    });
  }

  /** @param visibilitySeconds how long a failed message stays away; must be at least the function's Timeout */
  async create(name: string, visibilitySeconds: number, maxReceiveCount: number): Promise<DemoQueue> {
    const isFifo = name.endsWith('.fifo');
    const fifo: Record<string, string> = isFifo ? { FifoQueue: 'true', ContentBasedDeduplication: 'false' } : {};
    const deadLetterName = isFifo ? name.replace('.fifo', '-dlq.fifo') : `${name}-dlq`;
    const deadLetter = await this.#client.send(new CreateQueueCommand({ QueueName: deadLetterName, Attributes: fifo }));
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${deadLetterName}`;
    const queue = await this.#client.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: {
          ...fifo,
          VisibilityTimeout: String(visibilitySeconds),
          RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
        },
      }),
    );
    return { name, url: queue.QueueUrl!, deadLetterUrl: deadLetter.QueueUrl! };
  }

  /** Sends up to ten orders in one call. */
  async send(queue: DemoQueue, orders: readonly Order[]): Promise<void> {
    const answer = await this.#client.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: orders.map((order, index) => ({
          Id: String(index),
          MessageBody: JSON.stringify(order),
          ...(order.group === undefined ? {} : { MessageGroupId: order.group, MessageDeduplicationId: order.id }),
        })),
      }),
    );
    const refused = answer.Failed ?? [];
    if (refused.length > 0) throw new Error(`the emulator refused ${refused.length} messages: ${refused[0]?.Message}`);
  }

  /** Makes a standard queue without a dead-letter queue. @returns its URL */
  async createPlain(name: string): Promise<string> {
    return (await this.#client.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl!;
  }

  /** Up to ten bodies that a queue holds now. Reading leaves them there, invisible for a while. */
  async read(url: string): Promise<string[]> {
    const answer = await this.#client.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }));
    return (answer.Messages ?? []).map((message) => message.Body ?? '');
  }

  /** Messages the queue still has, whatever their state. */
  async remaining(queue: DemoQueue): Promise<number> {
    const answer = await this.#client.send(new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }));
    const attributes = answer.Attributes ?? {};
    const counts = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
    return counts.reduce((sum, name) => sum + Number(attributes[name] ?? 0), 0);
  }

  close(): void {
    this.#client.destroy();
  }
}
