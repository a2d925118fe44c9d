import { hash } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type BatchResultErrorEntry,
  type Message,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  type SQSClientResolvedConfig,
} from '@aws-sdk/client-sqs';
import type { DirectClient } from '../aws/direct-client.ts';
import { readReceived, readSettled } from './plain-answer.ts';

/** The three calls that every message pays for. They throw whatever the SDK throws; `errors.ts` gives it a class. */
export interface SqsCalls {
  /** One long poll. Verifies the MD5 of each body. */
  receiveMessage(request: ReceiveMessageCall, signal: AbortSignal): Promise<readonly Message[]>;
  /** At most 10 receipts. Returns the entries that were refused; the others are deleted. */
  deleteMessageBatch(queueUrl: string, receiptHandles: readonly string[]): Promise<readonly RefusedEntry[]>;
  /** At most 10 receipts. Returns the entries that were refused; the others are changed. */
  changeMessageVisibilityBatch(
    queueUrl: string,
    receiptHandles: readonly string[],
    visibilityTimeoutSeconds: number,
  ): Promise<readonly RefusedEntry[]>;
}

/** One receive, under SQS's own names and units. */
export interface ReceiveMessageCall {
  readonly queueUrl: string;
  readonly maxMessages: number;
  readonly waitTimeSeconds: number;
  readonly visibilityTimeoutSeconds: number;
  /** FIFO only: lets a repeated call return the same messages when the first answer was lost. */
  readonly attemptId?: string;
}

/** One entry of a batch that SQS did not settle. */
export interface RefusedEntry {
  /** Position in the list that was sent. */
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

/** The way around most of the SDK, for SQS. */
export type SqsDirectClient = DirectClient<ServiceInputTypes, ServiceOutputTypes, SQSClientResolvedConfig>;

/** The calls of one set of settings: long polls on one client, settling on another, so that neither waits for the other's sockets. */
export function createSqsCalls(pollClient: SqsDirectClient, settleClient: SqsDirectClient): SqsCalls {
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
      const { Messages: messages = [] } = await pollClient.send(command, readReceived, signal);
      verifyBodies(messages);
      return messages;
    },
    async deleteMessageBatch(queueUrl, receiptHandles) {
      const entries = receiptHandles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
      const answer = await settleClient.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }), readSettled);
      return refusedEntries(answer.Failed);
    },
    async changeMessageVisibilityBatch(queueUrl, receiptHandles, visibilityTimeoutSeconds) {
      const entries = receiptHandles.map((handle, index) => ({
        Id: String(index),
        ReceiptHandle: handle,
        VisibilityTimeout: visibilityTimeoutSeconds,
      }));
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries });
      const answer = await settleClient.send(command, readSettled);
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
