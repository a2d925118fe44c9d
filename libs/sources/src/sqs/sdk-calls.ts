import { hash } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type BatchResultErrorEntry,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { RefusedEntry, SqsCalls } from './sqs-calls.ts';

/** The hot calls through the AWS SDK: long polls on one client, settling on another, so that neither waits for the other's sockets. */
export function createSdkCalls(pollClient: SQSClient, settleClient: SQSClient): SqsCalls {
  return {
    async receiveMessage(request, signal) {
      const command = new ReceiveMessageCommand({
        QueueUrl: request.queueUrl,
        MaxNumberOfMessages: request.maxMessages,
        WaitTimeSeconds: request.waitTimeSeconds,
        VisibilityTimeout: request.visibilityTimeoutSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        ...(request.attemptId === undefined ? {} : { ReceiveRequestAttemptId: request.attemptId }),
      });
      const { Messages: messages = [] } = await pollClient.send(command, { abortSignal: signal });
      verifyBodies(messages);
      return messages;
    },
    async deleteMessageBatch(queueUrl, receiptHandles) {
      const entries = receiptHandles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
      const answer = await settleClient.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
      return refusedEntries(answer.Failed);
    },
    async changeMessageVisibilityBatch(queueUrl, receiptHandles, visibilityTimeoutSeconds) {
      const entries = receiptHandles.map((handle, index) => ({
        Id: String(index),
        ReceiptHandle: handle,
        VisibilityTimeout: visibilityTimeoutSeconds,
      }));
      const answer = await settleClient.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
      return refusedEntries(answer.Failed);
    },
  };
}

function refusedEntries(failed: readonly BatchResultErrorEntry[] | undefined): RefusedEntry[] {
  return (failed ?? []).map((entry) => ({ index: Number(entry.Id), code: entry.Code ?? 'Unknown', message: entry.Message ?? '' }));
}

/** The SDK's own check is switched off in the clients: it builds a hash object and two promises per message for the same answer. */
function verifyBodies(messages: readonly Message[]): void {
  const broken = messages.filter((message) => message.MD5OfBody !== hash('md5', message.Body ?? ''));
  if (broken.length > 0) throw new Error(`Invalid MD5 checksum on messages: ${broken.map((message) => message.MessageId).join(', ')}`);
}
