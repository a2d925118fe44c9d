import { GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueArn } from '@wherry/core/queue-url';

/** Asks SQS for the URL of a queue, by name and owner. */
export function askQueueUrl(client: SQSClient): (queue: QueueArn) => Promise<string | undefined> {
  return async ({ queueName, accountId }) => {
    const { QueueUrl: url } = await client.send(new GetQueueUrlCommand({ QueueName: queueName, QueueOwnerAWSAccountId: accountId }));
    return url;
  };
}
