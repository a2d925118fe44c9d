import type { SNSClient } from '@aws-sdk/client-sns';
import type { Clock } from '@wherry/core/clock';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import type { LazyClient } from '@wherry/core/lazy-client';
import type { AwsSettings } from '@wherry/core/mapping';
import type { Share } from '@wherry/core/shared-connections';
import { failureRecord } from '@wherry/core/stream/failure-record';
import { boundedCall } from './bounded-call.ts';
import type { DestinationClients } from './destination-clients.ts';
import { toSnsError } from './errors.ts';

/**
 * Failure records as notifications of a topic, the document as the `Message`. It names records and holds none, so it is far below the
 * size that SNS takes. A repeat of a notification that did arrive is a second one: a standard topic cannot tell.
 */
export class SnsDestination implements FailureDestination {
  readonly #topicArn: string;
  readonly #share: Share<LazyClient<SNSClient>>;
  readonly #clock: Clock;

  constructor(arn: string, aws: AwsSettings, { clients, clock }: { readonly clients: DestinationClients; readonly clock: Clock }) {
    this.#topicArn = arn;
    // A topic answers in its own region only, whatever region the rest of the configuration is about.
    this.#share = clients.sns.acquire({ ...aws, region: topicRegion(arn) });
    this.#clock = clock;
  }

  async deliver(delivery: FailureDelivery, signal: AbortSignal): Promise<void> {
    const message = failureRecord(delivery.failure, delivery.origin);
    try {
      await boundedCall((abortSignal) => this.#publish(message, abortSignal), { operation: 'Publish', signal, clock: this.#clock });
    } catch (error) {
      throw toSnsError(error, 'Publish');
    }
  }

  close(): void {
    this.#share.release();
  }

  async #publish(message: string, abortSignal: AbortSignal): Promise<void> {
    const client = await this.#share.connection.get();
    const { PublishCommand } = await import('@aws-sdk/client-sns');
    await client.send(new PublishCommand({ TopicArn: this.#topicArn, Message: message }), { abortSignal });
  }
}

/** Takes a topic's ARN apart. Throws on anything else; the configuration has refused it long before. */
function topicRegion(arn: string): string {
  const [, , service, region, , name, ...rest] = arn.split(':');
  if (service !== 'sns' || region === undefined || name === undefined || rest.length > 0) {
    throw new TypeError(`not the ARN of an SNS topic: ${arn}; expected arn:aws:sns:REGION:ACCOUNT:NAME`);
  }
  return region;
}
