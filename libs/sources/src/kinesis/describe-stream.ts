import { DescribeStreamConsumerCommand, DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import type { AwsSettings } from '@wherry/core/mapping';
import { toStreamError } from '../streams/errors.ts';
import type { KinesisClients } from './clients.ts';
import { parseStreamArn } from './kinesis-source.ts';

/** What Kinesis says about a stream or one of its consumers. */
export interface KinesisDescription {
  /** `CREATING`, `DELETING`, `ACTIVE` or, streams alone, `UPDATING`; empty where an emulator says nothing. */
  readonly status: string;
  /** How long records are kept; of a consumer, or where an emulator says nothing, undefined. */
  readonly retentionHours: number | undefined;
}

/** A stream's or consumer's ARN, and how to reach it. */
export interface KinesisPlace {
  readonly eventSourceArn: string;
  readonly aws: AwsSettings;
}

/** Looks at a stream (of a consumer's ARN, the consumer's stream) without reading it. Throws `SourceError`. */
export async function describeStream(place: KinesisPlace, clients: KinesisClients, signal: AbortSignal): Promise<KinesisDescription> {
  const { streamArn, region } = parseStreamArn(place.eventSourceArn);
  const share = clients.acquire({ ...place.aws, region });
  try {
    const client = await share.connection.get();
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn }), { abortSignal: signal });
    const summary = answer.StreamDescriptionSummary;
    return { status: summary?.StreamStatus ?? '', retentionHours: summary?.RetentionPeriodHours };
  } catch (error) {
    throw toStreamError(error, 'DescribeStreamSummary');
  } finally {
    share.release();
  }
}

/**
 * Looks at a consumer of a stream without subscribing. Throws `SourceError`, `notFound` for one that is not registered.
 *
 * @param consumerName of a consumer that the mapping registers itself; undefined when the mapping's ARN is that of a consumer
 */
export async function describeConsumer(
  place: KinesisPlace,
  consumerName: string | undefined,
  clients: KinesisClients,
  signal: AbortSignal,
): Promise<KinesisDescription> {
  const { streamArn, region } = parseStreamArn(place.eventSourceArn);
  const share = clients.acquire({ ...place.aws, region });
  try {
    const client = await share.connection.get();
    const which = consumerName === undefined ? { ConsumerARN: place.eventSourceArn } : { StreamARN: streamArn, ConsumerName: consumerName };
    const answer = await client.send(new DescribeStreamConsumerCommand(which), { abortSignal: signal });
    return { status: answer.ConsumerDescription?.ConsumerStatus ?? '', retentionHours: undefined };
  } catch (error) {
    throw toStreamError(error, 'DescribeStreamConsumer');
  } finally {
    share.release();
  }
}
