/**
 * The two programs that Wherry's SQS path is measured beside, each run as a process of its own:
 *
 * - `sdk-loop`: the loop everybody writes first. Pollers that receive with the AWS SDK, invoke with the SDK's Lambda client
 *   and delete the batch with the SDK.
 * - `sqs-consumer`: the npm package in batch mode with its fastest settings, handing each batch on with `fetch`.
 *
 * Usage: node sqs-baselines.ts (sdk-loop|sqs-consumer) SERVER_URL POLLERS
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient, type Message } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';

const [variant, serverUrl = '', pollers = ''] = process.argv.slice(2);
const settings = { endpoint: serverUrl, region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };
/** Any long poll; the canned server answers when it likes. */
const WAIT_SECONDS = 20;

const queueUrl = `${serverUrl}/000000000000/bench`;

function eventOf(messages: readonly Message[]): string {
  return JSON.stringify({
    Records: messages.map((message) => ({
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes,
      messageAttributes: {},
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:bench',
      awsRegion: 'us-east-1',
    })),
  });
}

async function sdkLoop(sqs: SQSClient, lambda: LambdaClient): Promise<never> {
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) continue;
    await lambda.send(new InvokeCommand({ FunctionName: 'bench', Payload: Buffer.from(eventOf(Messages)) }));
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: Messages.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle })),
      }),
    );
  }
}

function sqsConsumer(sqs: SQSClient): void {
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    batchSize: 10,
    waitTimeSeconds: WAIT_SECONDS,
    pollingWaitTimeMs: 0,
    alwaysAcknowledge: true,
    messageSystemAttributeNames: ['All'],
    messageAttributeNames: ['All'],
    handleMessageBatch: async (messages) => {
      const response = await fetch(`${serverUrl}/invoke`, { method: 'POST', body: eventOf(messages) });
      await response.arrayBuffer();
    },
  });
  consumer.start();
}

const sqs = new SQSClient(settings);
const lambda = new LambdaClient(settings);
for (let index = 0; index < Number(pollers); index++) {
  if (variant === 'sdk-loop') void sdkLoop(sqs, lambda);
  else sqsConsumer(sqs);
}
