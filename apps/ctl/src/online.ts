import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings, Mapping, SqsMapping, WherryConfig } from '@wherry/core/mapping';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import { checkQueue } from './check-queue.ts';
import { checkRedis } from './check-redis.ts';
import { checkTarget } from './check-target.ts';
import type { OnlineFinding } from './online-finding.ts';

/** Checks that run at the same time: enough to be quick with a thousand mappings, few enough not to be throttled. */
const CONCURRENCY = 16;

/**
 * `validate --online`: asks every queue, Redis and every target of a valid configuration. Nothing is received, written or
 * invoked. Findings come in the order of the configuration.
 */
export async function checkOnline(config: WherryConfig, surroundings: Surroundings): Promise<OnlineFinding[]> {
  const clients = new SqsClients(surroundings);
  const credentials = new CredentialsByRole(surroundings);
  const findCredentials = (aws: AwsSettings) => credentials.provider(aws)();
  const createSource = (mapping: SqsMapping) => createSqsSource(mapping, { surroundings, clients });
  const checks: (() => Promise<OnlineFinding[]>)[] = [() => checkRedis(config.redis)];
  for (const definition of config.functions.values()) checks.push(() => checkTarget(definition, findCredentials));
  for (const mapping of config.mappings.values()) {
    const definition = config.functions.get(mapping.functionName);
    if (isSqs(mapping) && definition !== undefined) checks.push(() => checkQueue(mapping, definition, createSource));
  }
  return (await inPool(checks)).flat();
}

function isSqs(mapping: Mapping): mapping is SqsMapping {
  return mapping.source === 'sqs';
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
