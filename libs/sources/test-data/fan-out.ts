import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@wherry/core/clock';
import type { StreamRecord, StreamSource } from '@wherry/core/stream-source';
import { KinesisDouble } from '@wherry/testkit/kinesis-double';
import { onTestFinished } from 'vitest';
import { CredentialsByRole } from '../src/aws/credentials.ts';
import { createKinesisClients } from '../src/kinesis/clients.ts';
import { createFanOutSource } from '../src/kinesis/fan-out-source.ts';

/** How much faster than AWS the tests live. */
const FASTER = 20;

/** A clock that runs faster, so that silence and refusals take no test 15 seconds. */
const fastClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now() * FASTER,
  sleep: (ms, signal) => setTimeout(ms / FASTER, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

type Times = NonNullable<Parameters<typeof KinesisDouble.start>[0]>;

/** A double that trusts nobody but is trusted by this test process. */
export async function startDouble(times: Times = {}): Promise<KinesisDouble> {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  return await KinesisDouble.start({ heartbeatMs: 5_000 / FASTER, exclusiveMs: 0, ...times });
}

/** A fan-out source as a poller opens it: another process has clients of its own. */
export function openFanOut(eventSourceArn: string, endpoint: string): StreamSource {
  const credentials = new CredentialsByRole({ clock: fastClock, random: Math.random });
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  const consumer = { kind: 'enhanced-fan-out', register: !eventSourceArn.includes('/consumer/') } as const;
  const aws = { region: 'us-east-1', endpoint, maxAttempts: 1 };
  const mapping = { name: 'clicks', uuid: '0a1b2c3d-0000-5000-8000-000000000000', eventSourceArn, aws, consumer };
  const source = createFanOutSource(mapping, { clients: createKinesisClients(credentials), surroundings: { clock: fastClock } });
  onTestFinished(() => source.close());
  return source;
}

/** The text that a record was written with. */
export function textOf({ recordJson }: StreamRecord): string {
  return Buffer.from((JSON.parse(recordJson) as { kinesis: { data: string } }).kinesis.data, 'base64').toString();
}

/** Records to write, one for each text. */
export function recordsOf(texts: readonly string[]): { partitionKey: string; data: string }[] {
  return texts.map((text) => ({ partitionKey: 'k', data: Buffer.from(text).toString('base64') }));
}
