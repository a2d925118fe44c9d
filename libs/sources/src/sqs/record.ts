import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';

/**
 * The order in which Lambda writes the system attributes. Whatever else SQS sends follows behind them, in SQS's order.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
const ATTRIBUTE_ORDER = [
  'ApproximateReceiveCount',
  'AWSTraceHeader',
  'SentTimestamp',
  'SequenceNumber',
  'MessageGroupId',
  'MessageDeduplicationId',
  'SenderId',
  'ApproximateFirstReceiveTimestamp',
] as const;

const KNOWN_ATTRIBUTES: ReadonlySet<string> = new Set(ATTRIBUTE_ORDER);

/** An attribute of the queue, which some servers hand out with the message; Lambda's events never carry it. */
const NEVER_SHOWN = 'SqsManagedSseEnabled';

/** Writes one message as it will stand in the event's `Records` list. */
export type RecordWriter = (message: Message) => string;

/**
 * Makes the writer of one mapping's records: JSON text exactly as Lambda's own pollers write it, key order included. The
 * text is put together once, piece by piece, because this runs for every message and a second pass would be the largest
 * single cost of it. `body` is never parsed.
 *
 * When a message has no attributes, Lambda leaves `md5OfMessageAttributes` out if the mapping has no batching window and
 * writes `null` if it has one (seen in recordings of real events).
 */
export function createRecordWriter(mapping: {
  readonly eventSourceArn: string;
  readonly maximumBatchingWindowInSeconds: number;
}): RecordWriter {
  const region = mapping.eventSourceArn.split(':')[3] ?? '';
  const arn = JSON.stringify(mapping.eventSourceArn);
  const tail = `,"eventSource":"aws:sqs","eventSourceARN":${arn},"awsRegion":${JSON.stringify(region)}}`;
  const withoutMd5 = mapping.maximumBatchingWindowInSeconds > 0 ? ',"md5OfMessageAttributes":null' : '';
  return (message) => {
    const md5 = message.MD5OfMessageAttributes;
    return (
      `{"messageId":${quoted(message.MessageId)},"receiptHandle":${quoted(message.ReceiptHandle)},"body":${quoted(message.Body)}` +
      `,"attributes":${attributesJson(message.Attributes)},"messageAttributes":${messageAttributesJson(message.MessageAttributes)}` +
      `${md5 === undefined ? withoutMd5 : `,"md5OfMessageAttributes":${quoted(md5)}`},"md5OfBody":${quoted(message.MD5OfBody)}${tail}`
    );
  };
}

function quoted(text: string | undefined): string {
  return JSON.stringify(text ?? '');
}

function attributesJson(attributes: Readonly<Record<string, string>> | undefined): string {
  if (attributes === undefined) return '{}';
  let json = '';
  const append = (name: string, value: string): void => {
    json += `${json === '' ? '{' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  };
  for (const name of ATTRIBUTE_ORDER) {
    const value = attributes[name];
    if (value !== undefined) append(name, value);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (!KNOWN_ATTRIBUTES.has(name) && name !== NEVER_SHOWN) append(name, value);
  }
  return json === '' ? '{}' : `${json}}`;
}

function messageAttributesJson(attributes: Readonly<Record<string, MessageAttributeValue>> | undefined): string {
  if (attributes === undefined) return '{}';
  const parts = Object.entries(attributes).map(([name, value]) => `${JSON.stringify(name)}:${messageAttributeJson(value)}`);
  return `{${parts.join(',')}}`;
}

/** The lists are always there and always empty: SQS has them in its model and has never filled them. */
function messageAttributeJson(value: MessageAttributeValue): string {
  const dataType = value.DataType ?? 'String';
  const scalar = dataType.startsWith('Binary')
    ? `"binaryValue":"${base64(value.BinaryValue ?? new Uint8Array())}"`
    : `"stringValue":${quoted(value.StringValue)}`;
  return `{${scalar},"stringListValues":[],"binaryListValues":[],"dataType":${JSON.stringify(dataType)}}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
