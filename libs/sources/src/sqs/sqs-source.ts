import { GetQueueAttributesCommand, type Message } from '@aws-sdk/client-sqs';
import type { Surroundings } from '@wherry/core/clock';
import type { SqsMapping } from '@wherry/core/mapping';
import type { QueueAttributes, QueueMessage, QueueSource, ReceiveRequest, SettleOutcome } from '@wherry/core/queue-source';
import { parseQueueArn, QueueUrl } from '@wherry/core/queue-url';
import { SourceError } from '@wherry/core/source-error';
import { toSqsError } from '@wherry/core/sqs-fault';
import type { SqsClients, SqsConnection } from './clients.ts';
import { settleOutcome } from './errors.ts';
import { askQueueUrl } from './queue-url.ts';
import { createRecordWriter, type RecordWriter } from './record.ts';
import type { RefusedEntry } from './sqs-calls.ts';

/** Most entries that one receive, delete or change call of SQS takes. */
const BATCH_LIMIT = 10;

/** SQS's own default, for a server that leaves the attribute out. */
const DEFAULT_VISIBILITY_TIMEOUT_SECONDS = 30;

/** What a source is given from outside; `clients` is the same for all sources of a process. */
export interface SqsSourceOptions {
  readonly surroundings: Pick<Surroundings, 'clock' | 'newId'>;
  readonly clients: SqsClients;
}

/** The queue of one mapping. Opens nothing until the first call; `close` gives the shared connections back. */
export function createSqsSource(mapping: SqsMapping, options: SqsSourceOptions): QueueSource {
  return new SqsSource(mapping, options);
}

/**
 * An SQS queue behind the port of queue-shaped sources.
 *
 * Every receive names its visibility timeout, so that `visibleAgainAtMs` is exact even while somebody changes the queue's
 * own setting; `attributes` learns that setting, and the first receive asks for it if nobody has yet.
 */
class SqsSource implements QueueSource {
  readonly #mapping: SqsMapping;
  readonly #surroundings: SqsSourceOptions['surroundings'];
  readonly #connection: SqsConnection;
  readonly #queueUrl: QueueUrl;
  readonly #writeRecord: RecordWriter;
  #visibilityTimeoutSeconds: number | undefined;

  constructor(mapping: SqsMapping, options: SqsSourceOptions) {
    const queue = parseQueueArn(mapping.eventSourceArn);
    this.#mapping = mapping;
    this.#surroundings = options.surroundings;
    // A queue answers in its own region only, whatever region the rest of the configuration is about.
    this.#connection = options.clients.acquire({ ...mapping.aws, region: queue.region });
    this.#queueUrl = new QueueUrl(queue, askQueueUrl(this.#connection.controlClient));
    this.#writeRecord = createRecordWriter(mapping);
  }

  async receive(request: ReceiveRequest): Promise<QueueMessage[]> {
    try {
      const { queueUrl, visibilityTimeoutSeconds } = await orAborted(this.#prepare(request), request.signal);
      const sentAtMs = this.#surroundings.clock.monotonicMs();
      const messages = await this.#connection.calls.receiveMessage(
        {
          queueUrl,
          maxMessages: request.maxMessages,
          waitTimeSeconds: request.waitTimeSeconds,
          visibilityTimeoutSeconds,
          ...(this.#mapping.fifo ? { attemptId: this.#surroundings.newId() } : {}),
        },
        request.signal,
      );
      const visibleAgainAtMs = sentAtMs + visibilityTimeoutSeconds * 1000;
      return messages.map((message) => this.#toQueueMessage(message, visibleAgainAtMs));
    } catch (error) {
      throw toSqsError(error, 'ReceiveMessage');
    }
  }

  async delete(messages: readonly QueueMessage[]): Promise<SettleOutcome[]> {
    return this.#settle('DeleteMessageBatch', messages, (queueUrl, handles) =>
      this.#connection.calls.deleteMessageBatch(queueUrl, handles),
    );
  }

  async changeVisibility(messages: readonly QueueMessage[], timeoutSeconds: number): Promise<SettleOutcome[]> {
    return this.#settle('ChangeMessageVisibilityBatch', messages, (queueUrl, handles) =>
      this.#connection.calls.changeMessageVisibilityBatch(queueUrl, handles, timeoutSeconds),
    );
  }

  async attributes(): Promise<QueueAttributes> {
    try {
      const { Attributes: found = {} } = await this.#connection.controlClient.send(
        new GetQueueAttributesCommand({
          QueueUrl: await this.#queueUrl.get(),
          AttributeNames: [
            'VisibilityTimeout',
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesNotVisible',
            'ApproximateNumberOfMessagesDelayed',
          ],
        }),
      );
      this.#visibilityTimeoutSeconds = Number(found.VisibilityTimeout ?? DEFAULT_VISIBILITY_TIMEOUT_SECONDS);
      return {
        visibilityTimeoutSeconds: this.#visibilityTimeoutSeconds,
        approximateNumberOfMessages: Number(found.ApproximateNumberOfMessages ?? 0),
        approximateNumberOfMessagesNotVisible: Number(found.ApproximateNumberOfMessagesNotVisible ?? 0),
        approximateNumberOfMessagesDelayed: Number(found.ApproximateNumberOfMessagesDelayed ?? 0),
      };
    } catch (error) {
      throw toSqsError(error, 'GetQueueAttributes');
    }
  }

  refresh(): void {
    this.#queueUrl.refresh();
    this.#visibilityTimeoutSeconds = undefined;
  }

  close(): void {
    this.#connection.release();
  }

  async #prepare(request: ReceiveRequest): Promise<{ queueUrl: string; visibilityTimeoutSeconds: number }> {
    const learnt = request.visibilityTimeoutSeconds ?? this.#visibilityTimeoutSeconds;
    const visibilityTimeoutSeconds = learnt ?? (await this.attributes()).visibilityTimeoutSeconds;
    return { queueUrl: await this.#queueUrl.get(), visibilityTimeoutSeconds };
  }

  async #settle(
    operation: string,
    messages: readonly QueueMessage[],
    call: (queueUrl: string, receiptHandles: readonly string[]) => Promise<readonly RefusedEntry[]>,
  ): Promise<SettleOutcome[]> {
    if (messages.length === 0) return [];
    if (messages.length > BATCH_LIMIT) throw new RangeError(`${operation} takes ${BATCH_LIMIT} messages at most, not ${messages.length}`);
    try {
      const queueUrl = await this.#queueUrl.get();
      const refused = await call(
        queueUrl,
        messages.map((message) => message.receiptHandle),
      );
      const outcomes = messages.map((): SettleOutcome => 'done');
      for (const entry of refused) outcomes[entry.index] = settleOutcome(entry.code, entry.message);
      return outcomes;
    } catch (error) {
      throw toSqsError(error, operation);
    }
  }

  #toQueueMessage(message: Message, visibleAgainAtMs: number): QueueMessage {
    const { Attributes: attributes = {} } = message;
    const recordJson = this.#writeRecord(message);
    const { MessageGroupId: messageGroupId, AWSTraceHeader: traceHeader } = attributes;
    return {
      messageId: message.MessageId ?? '',
      receiptHandle: message.ReceiptHandle ?? '',
      recordJson,
      recordBytes: Buffer.byteLength(recordJson),
      // On a standard queue the group only helps SQS to share fairly between senders; it orders nothing.
      ...(this.#mapping.fifo && messageGroupId !== undefined ? { messageGroupId } : {}),
      sentAtMs: Number(attributes.SentTimestamp ?? this.#surroundings.clock.nowMs()),
      receiveCount: Number(attributes.ApproximateReceiveCount ?? 1),
      ...(traceHeader === undefined ? {} : { traceHeader }),
      visibleAgainAtMs,
    };
  }
}

/** `work`, or an error as soon as the signal aborts. The work goes on, because others may be waiting for it too. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(new SourceError('unavailable', 'AbortError', 'ReceiveMessage failed: Request aborted'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
