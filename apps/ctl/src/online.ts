import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings, SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import { askDestination } from '@wherry/destinations/ask-destination';
import { DestinationClients } from '@wherry/destinations/destination-clients';
import { clientSettings } from '@wherry/sources/aws/client-settings';
import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import { createDynamoDbClients } from '@wherry/sources/dynamodb/clients';
import { createDynamoDbSource } from '@wherry/sources/dynamodb/dynamodb-source';
import { createKinesisClients } from '@wherry/sources/kinesis/clients';
import { consumerName } from '@wherry/sources/kinesis/consumer';
import { createKinesisSource } from '@wherry/sources/kinesis/kinesis-source';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import { checkDestination } from './check-destination.ts';
import { checkQueue } from './check-queue.ts';
import { checkRedis } from './check-redis.ts';
import { checkStream, type StreamQuestions } from './check-stream.ts';
import { checkTarget } from './check-target.ts';
import type { OnlineFinding } from './online-finding.ts';

/** Checks that run at the same time: enough to be quick with a thousand mappings, few enough not to be throttled. */
const CONCURRENCY = 16;

/** How long one failure destination may take to answer. */
const DESTINATION_PATIENCE_MS = 20_000;

/**
 * `validate --online`: asks every queue, stream and failure destination, Redis and every target of a valid configuration. No message is
 * received, nothing is written and nothing invoked. Findings come in the order of the configuration.
 */
export async function checkOnline(config: WherryConfig, surroundings: Surroundings): Promise<OnlineFinding[]> {
  const credentials = new CredentialsByRole(surroundings);
  const findCredentials = (aws: AwsSettings) => credentials.provider(aws)();
  const sqs = new SqsClients(surroundings, credentials);
  const createSource = (mapping: SqsMapping) => createSqsSource(mapping, { surroundings, clients: sqs });
  const questions = streamQuestions(surroundings, credentials);
  const clients = new DestinationClients((aws, traffic) => clientSettings(aws, credentials.provider(aws), traffic));
  const checks: (() => Promise<OnlineFinding[]>)[] = [() => checkRedis(config.redis)];
  for (const definition of config.functions.values()) checks.push(() => checkTarget(definition, findCredentials));
  for (const mapping of config.mappings.values()) {
    const definition = config.functions.get(mapping.functionName);
    if (mapping.source !== 'sqs') {
      checks.push(() => checkStream(mapping, questions));
      const { clock } = surroundings;
      const signal = () => AbortSignal.timeout(DESTINATION_PATIENCE_MS);
      checks.push(() => checkDestination(mapping, (place) => askDestination(place, { clients, clock, signal: signal() })));
    } else if (definition !== undefined) {
      checks.push(() => checkQueue(mapping, definition, createSource));
    }
  }
  return (await inPool(checks)).flat();
}

/** The questions with the SDK behind them, whose code for a service is loaded by the first question. */
function streamQuestions(surroundings: Surroundings, credentials: CredentialsByRole): StreamQuestions {
  const kinesis = createKinesisClients(credentials);
  const dynamoDb = createDynamoDbClients(credentials);
  return {
    nowMs: surroundings.clock.nowMs(),
    createSource: (mapping: StreamMapping) =>
      mapping.source === 'kinesis'
        ? createKinesisSource(mapping, { surroundings, clients: kinesis })
        : createDynamoDbSource(mapping, { surroundings, clients: dynamoDb }),
    describeStream: async (mapping, signal) => {
      const { describeStream } = await import('@wherry/sources/kinesis/describe-stream');
      return describeStream(mapping, kinesis, signal);
    },
    describeConsumer: async (mapping, signal) => {
      const { describeConsumer } = await import('@wherry/sources/kinesis/describe-stream');
      const registers = mapping.consumer.kind === 'enhanced-fan-out' && mapping.consumer.register;
      return describeConsumer(mapping, registers ? consumerName(mapping) : undefined, kinesis, signal);
    },
    describeTableStream: async (mapping, signal) => {
      const { describeTableStream } = await import('@wherry/sources/dynamodb/describe-stream');
      return describeTableStream(mapping, dynamoDb, signal);
    },
  };
}

async function inPool<Result>(work: readonly (() => Promise<Result>)[]): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...work.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}
