import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Clock } from '@wherry/core/clock';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import type { LazyClient } from '@wherry/core/lazy-client';
import type { AwsSettings } from '@wherry/core/mapping';
import { parseQueueArn, QueueUrl } from '@wherry/core/queue-url';
import type { Share } from '@wherry/core/shared-connections';
import { toSqsError } from '@wherry/core/sqs-fault';
import { failureRecord } from '@wherry/core/stream/failure-record';
import { boundedCall } from './bounded-call.ts';
import type { DestinationClients } from './destination-clients.ts';

/**
 * Failure records as messages of a queue, the document as the body. It names records and holds none, so it is far below the size that
 * SQS takes. A repeat of a message that did arrive is a second message: a standard queue cannot tell.
 */
export class SqsDestination implements FailureDestination {
  readonly #share: Share<LazyClient<SQSClient>>;
  readonly #queueUrl: QueueUrl;
  readonly #clock: Clock;

  constructor(arn: string, aws: AwsSettings, { clients, clock }: { readonly clients: DestinationClients; readonly clock: Clock }) {
    const queue = parseQueueArn(arn);
    // A queue answers in its own region only, whatever region the rest of the configuration is about.
    this.#share = clients.sqs.acquire({ ...aws, region: queue.region });
    this.#clock = clock;
    this.#queueUrl = new QueueUrl(queue, async ({ queueName, accountId }) => {
      const client = await this.#share.connection.get();
      const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
      const answer = await client.send(new GetQueueUrlCommand({ QueueName: queueName, QueueOwnerAWSAccountId: accountId }));
      return answer.QueueUrl;
    });
  }

  async deliver(delivery: FailureDelivery, signal: AbortSignal): Promise<void> {
    const body = failureRecord(delivery.failure, delivery.origin);
    try {
      await boundedCall((abortSignal) => this.#send(body, abortSignal), { operation: 'SendMessage', signal, clock: this.#clock });
    } catch (error) {
      const fault = toSqsError(error, 'SendMessage');
      // It may be there again, made anew.
      if (fault.code === 'notFound') this.#queueUrl.refresh();
      throw fault;
    }
  }

  close(): void {
    this.#share.release();
  }

  async #send(body: string, abortSignal: AbortSignal): Promise<void> {
    const queueUrl = await this.#queueUrl.get();
    const client = await this.#share.connection.get();
    const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }), { abortSignal });
  }
}
