import type { Clock } from '@wherry/core/clock';
import type { OnFailure } from '@wherry/core/mapping';
import { parseQueueArn } from '@wherry/core/queue-url';
import { toSqsError } from '@wherry/core/sqs-fault';
import { boundedCall } from './bounded-call.ts';
import type { DestinationClients } from './destination-clients.ts';
import { toS3Error, toSnsError } from './errors.ts';

/** A destination outside the fleet. */
type Place = Exclude<OnFailure, { readonly kind: 'failed' }>;

/**
 * Asks whether a queue, topic or bucket is there, without writing to it: `GetQueueUrl`, `GetTopicAttributes` or `HeadBucket`. Each needs
 * a permission that a delivery may not need, and none tells whether a delivery is permitted. Throws `SourceError` otherwise.
 */
export async function askDestination(
  place: Place,
  { clients, clock, signal }: { readonly clients: DestinationClients; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { kind } = place;
  const operation = OPERATIONS[kind];
  try {
    await boundedCall((abortSignal) => ASK[kind](place, clients, abortSignal), { operation, signal, clock });
  } catch (error) {
    throw TO_ERROR[kind](error, operation);
  }
}

type Ask = (place: Place, clients: DestinationClients, abortSignal: AbortSignal) => Promise<unknown>;

const OPERATIONS = { sqs: 'GetQueueUrl', sns: 'GetTopicAttributes', s3: 'HeadBucket' } as const;
const TO_ERROR = { sqs: toSqsError, sns: toSnsError, s3: toS3Error };

const ASK: Readonly<Record<Place['kind'], Ask>> = {
  async sqs({ arn, aws }, clients, abortSignal) {
    const { queueName, accountId, region } = parseQueueArn(arn);
    const share = clients.sqs.acquire({ ...aws, region });
    try {
      const client = await share.connection.get();
      const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
      await client.send(new GetQueueUrlCommand({ QueueName: queueName, QueueOwnerAWSAccountId: accountId }), { abortSignal });
    } finally {
      share.release();
    }
  },
  async sns({ arn, aws }, clients, abortSignal) {
    const share = clients.sns.acquire(aws);
    try {
      const client = await share.connection.get();
      const { GetTopicAttributesCommand } = await import('@aws-sdk/client-sns');
      await client.send(new GetTopicAttributesCommand({ TopicArn: arn }), { abortSignal });
    } finally {
      share.release();
    }
  },
  async s3({ arn, aws }, clients, abortSignal) {
    const share = clients.s3.acquire(aws);
    try {
      const client = await share.connection.get();
      const { HeadBucketCommand } = await import('@aws-sdk/client-s3');
      await client.send(new HeadBucketCommand({ Bucket: arn.slice(arn.lastIndexOf(':') + 1) }), { abortSignal });
    } finally {
      share.release();
    }
  },
};
