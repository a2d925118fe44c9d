import type { BatchResultErrorEntry, Message } from '@aws-sdk/client-sqs';
import { isAbsentOr, isObject, isTextOrAbsent } from '../aws/plain-json.ts';

/** The parts of a receive's answer that may be read without the SDK. */
export interface PlainReceived {
  readonly Messages?: Message[];
}

/** The parts of a batch's answer that may be read without the SDK. */
export interface PlainSettled {
  readonly Failed?: BatchResultErrorEntry[];
}

/**
 * The answer of a ReceiveMessage, or nothing where a member has another type than SQS gives it (null too): the SDK has rules for
 * such things, and they are not repeated here.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export function readReceived(answer: unknown): PlainReceived | undefined {
  if (!isObject(answer)) return undefined;
  const { Messages: messages = [] } = answer;
  return Array.isArray(messages) && messages.every(isMessage) ? { Messages: messages } : undefined;
}

/** The answer of a DeleteMessageBatch or ChangeMessageVisibilityBatch, or nothing, as for `readReceived`. */
export function readSettled(answer: unknown): PlainSettled | undefined {
  if (!isObject(answer)) return undefined;
  const { Failed: failed = [], Successful: successful = [] } = answer;
  if (!Array.isArray(failed) || !Array.isArray(successful) || !failed.every(isFailedEntry)) return undefined;
  return { Failed: failed };
}

/** Also turns binary attributes into bytes, as the SDK does. */
function isMessage(value: unknown): value is Message {
  if (!isObject(value)) return false;
  const { MessageId, ReceiptHandle, Body, MD5OfBody, MD5OfMessageAttributes, Attributes, MessageAttributes } = value;
  return (
    [MessageId, ReceiptHandle, Body, MD5OfBody, MD5OfMessageAttributes].every(isTextOrAbsent) &&
    isAbsentOr(Attributes, (attributes) => Object.values(attributes).every((text) => typeof text === 'string')) &&
    isAbsentOr(MessageAttributes, (attributes) => Object.values(attributes).every(isMessageAttribute))
  );
}

function isMessageAttribute(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { StringValue, BinaryValue, DataType } = value;
  if (![StringValue, BinaryValue, DataType].every(isTextOrAbsent)) return false;
  if (typeof BinaryValue !== 'string') return true;
  const bytes = Buffer.from(BinaryValue, 'base64');
  value['BinaryValue'] = bytes;
  return bytes.toString('base64') === BinaryValue;
}

function isFailedEntry(value: unknown): value is BatchResultErrorEntry {
  return isObject(value) && typeof value['Id'] === 'string' && isTextOrAbsent(value['Code']) && isTextOrAbsent(value['Message']);
}
