import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import type { CredentialsByRole } from '../aws/credentials.ts';
import { describeTableStream } from '../dynamodb/describe-stream.ts';
import { describeConsumer, describeStream } from '../kinesis/describe-stream.ts';
import { StreamClients } from './stream-clients.ts';

const STREAM = 'arn:aws:kinesis:eu-west-1:000000000000:stream/s';
const CONSUMER = `${STREAM}/consumer/c:1700000000`;
const TABLE = 'arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-01-01T00:00:00.000';
const aws = { region: 'us-east-1', maxAttempts: 1 };
const signal = new AbortController().signal;

/** Clients of a service that gives this answer to everything; what they were asked, in which region, and whether they are closed. */
function scripted<Client extends { destroy(): void }>(answer: object | Error) {
  const asked: object[] = [];
  const regions: string[] = [];
  let open = 0;
  const send = (command: { readonly input: object }) => {
    asked.push(command.input);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const clients = new StreamClients<Client>({ provider: () => {} } as unknown as CredentialsByRole, ({ region }) => {
    regions.push(region);
    open++;
    return Promise.resolve({ send, destroy: () => open-- } as unknown as Client);
  });
  return { clients, asked, regions, isClosed: () => Promise.resolve().then(() => open === 0) };
}

const message = (operation: string) => `${operation} failed: said so`;
const fault = (name: string) => Object.assign(new Error('said so'), { name });

test('a stream is described by its ARN, in its own region', async () => {
  const { clients, asked, regions, isClosed } = scripted<KinesisClient>({
    StreamDescriptionSummary: { StreamStatus: 'ACTIVE', RetentionPeriodHours: 48 },
  });
  expect(await describeStream({ eventSourceArn: CONSUMER, aws }, clients, signal)).toEqual({ status: 'ACTIVE', retentionHours: 48 });
  expect({ asked, regions }).toEqual({ asked: [{ StreamARN: STREAM }], regions: ['eu-west-1'] });
  expect(await isClosed()).toBe(true);
});

test.each([
  ['by its ARN', CONSUMER, undefined, { ConsumerARN: CONSUMER }],
  ['by its name', STREAM, 'mine', { StreamARN: STREAM, ConsumerName: 'mine' }],
])('a consumer is described %s', async (_, eventSourceArn, name, input) => {
  const { clients, asked, isClosed } = scripted<KinesisClient>({ ConsumerDescription: { ConsumerStatus: 'CREATING' } });
  expect(await describeConsumer({ eventSourceArn, aws }, name, clients, signal)).toMatchObject({ status: 'CREATING' });
  expect(asked).toEqual([input]);
  expect(await isClosed()).toBe(true);
});

test('the stream of a table is described with what its records show, in its own region', async () => {
  const { clients, asked, regions, isClosed } = scripted<DynamoDBStreamsClient>({
    StreamDescription: { StreamStatus: 'ENABLED', StreamViewType: 'KEYS_ONLY' },
  });
  const description = await describeTableStream({ eventSourceArn: TABLE, aws }, clients, signal);
  expect(description).toEqual({ status: 'ENABLED', viewType: 'KEYS_ONLY' });
  expect({ asked, regions }).toEqual({ asked: [{ StreamArn: TABLE, Limit: 1 }], regions: ['eu-west-1'] });
  expect(await isClosed()).toBe(true);
});

test('a service that says nothing is no error', async () => {
  const { clients } = scripted<KinesisClient>({});
  expect(await describeStream({ eventSourceArn: STREAM, aws }, clients, signal)).toEqual({ status: '', retentionHours: undefined });
  const tables = scripted<DynamoDBStreamsClient>({}).clients;
  expect(await describeTableStream({ eventSourceArn: TABLE, aws }, tables, signal)).toEqual({ status: '', viewType: undefined });
});

test.each([
  ['ResourceNotFoundException', 'notFound'],
  ['AccessDeniedException', 'accessDenied'],
  ['LimitExceededException', 'throttled'],
])('%s is told with the call that it answers, and the client is given back', async (name, code) => {
  const kinesis = scripted<KinesisClient>(fault(name));
  const place = { eventSourceArn: STREAM, aws };
  await expect(describeStream(place, kinesis.clients, signal)).rejects.toMatchObject({ code, message: message('DescribeStreamSummary') });
  await expect(describeConsumer(place, 'mine', kinesis.clients, signal)).rejects.toMatchObject({
    code,
    message: message('DescribeStreamConsumer'),
  });
  const dynamoDb = scripted<DynamoDBStreamsClient>(fault(name));
  const table = { eventSourceArn: TABLE, aws };
  await expect(describeTableStream(table, dynamoDb.clients, signal)).rejects.toMatchObject({ code, message: message('DescribeStream') });
  expect([await kinesis.isClosed(), await dynamoDb.isClosed()]).toEqual([true, true]);
});
