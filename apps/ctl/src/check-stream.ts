import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import type { StreamSource } from '@wherry/core/stream-source';
import type { TableStreamDescription } from '@wherry/sources/dynamodb/describe-stream';
import type { KinesisDescription } from '@wherry/sources/kinesis/describe-stream';
import type { OnlineFinding } from './online-finding.ts';
import { streamFault } from './stream-fault.ts';
import { consumerFindings, kinesisFindings, tableFindings } from './stream-findings.ts';

/** How long one stream may take to answer everything. */
const PATIENCE_MS = 20_000;

/** What is asked of the outside world about streams. All throw `SourceError`. */
export interface StreamQuestions {
  readonly createSource: (mapping: StreamMapping) => StreamSource;
  readonly describeStream: (mapping: StreamMapping, signal: AbortSignal) => Promise<KinesisDescription>;
  /** Of the consumer that the mapping's ARN names, or that the mapping registers itself. */
  readonly describeConsumer: (mapping: StreamMapping, signal: AbortSignal) => Promise<KinesisDescription>;
  readonly describeTableStream: (mapping: StreamMapping, signal: AbortSignal) => Promise<TableStreamDescription>;
  readonly nowMs: number;
}

/**
 * Whether the stream of a mapping exists, is in a state to be read, and may be read with these credentials. One shard is read at its
 * tip, which takes nothing away from anybody but one of its five reads a second. Nothing is subscribed to and nobody registered.
 */
export async function checkStream(mapping: StreamMapping, questions: StreamQuestions): Promise<OnlineFinding[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const findings = await stateFindings(mapping, questions, signal);
    if (findings.some(({ code }) => code === 'stream-not-active')) return findings;
    return [...findings, ...(await readingFindings(mapping, questions, signal))];
  } catch (error) {
    return [streamFault(mapping, error)];
  }
}

async function stateFindings(mapping: StreamMapping, questions: StreamQuestions, signal: AbortSignal): Promise<OnlineFinding[]> {
  return mapping.source === 'dynamodb'
    ? tableFindings(mapping, await questions.describeTableStream(mapping, signal), questions.nowMs)
    : kinesisFindings(mapping, await questions.describeStream(mapping, signal), questions.nowMs);
}

async function readingFindings(mapping: StreamMapping, questions: StreamQuestions, signal: AbortSignal): Promise<OnlineFinding[]> {
  const source = questions.createSource(mapping);
  try {
    const shards = await source.listShards(signal);
    if (mapping.consumer.kind === 'enhanced-fan-out') return await checkConsumer(mapping, questions, signal);
    const shard = shards.find(({ isOpen }) => isOpen);
    if (shard !== undefined) await source.openReader(shard.shardId, { kind: 'LATEST' }).read(1, signal);
    return [];
  } finally {
    source.close();
  }
}

async function checkConsumer(mapping: StreamMapping, questions: StreamQuestions, signal: AbortSignal): Promise<OnlineFinding[]> {
  try {
    return consumerFindings(mapping, await questions.describeConsumer(mapping, signal));
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== 'notFound') throw error;
    return consumerFindings(mapping, undefined);
  }
}
