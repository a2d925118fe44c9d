import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError, type FaultCode } from '@wherry/core/source-error';
import type { ShardPosition, StreamShard, StreamSource } from '@wherry/core/stream-source';
import { sampleStreamMapping } from '@wherry/testkit/sample-config';
import { describe, expect, test } from 'vitest';
import { checkStream, type StreamQuestions } from './check-stream.ts';

const NOW_MS = Date.UTC(2026, 10, 20);
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000';
const CONSUMER = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks/consumer/c:1700000000';
const clicks = sampleStreamMapping();
const table = sampleStreamMapping({ source: 'dynamodb', eventSourceArn: TABLE });
const byConsumer = sampleStreamMapping({ eventSourceArn: CONSUMER, consumer: { kind: 'enhanced-fan-out', register: false } });
const registering = sampleStreamMapping({ consumer: { kind: 'enhanced-fan-out', register: true } });

/** What the outside world answers; an error is thrown. */
interface Answers {
  readonly stream?: { readonly status?: string; readonly retentionHours?: number } | SourceError;
  readonly consumer?: string | SourceError;
  readonly table?: { readonly status?: string; readonly viewType?: string } | SourceError;
  readonly shards?: readonly StreamShard[] | SourceError;
  readonly read?: SourceError;
}

function orThrow<Answer>(answer: Answer | SourceError): Answer {
  if (answer instanceof SourceError) throw answer;
  return answer;
}

const OPEN: StreamShard = { shardId: 'shardId-1', parentShardIds: ['shardId-0'], isOpen: true };
const CLOSED: StreamShard = { shardId: 'shardId-0', parentShardIds: [], isOpen: false };

/** Checks a mapping, and tells what was read and whether the source was closed. */
async function check(mapping: StreamMapping, answers: Answers = {}) {
  const reads: [shardId: string, position: ShardPosition, maxRecords: number][] = [];
  let open = 0;
  const source = {
    listShards: async () => orThrow(answers.shards ?? [CLOSED, OPEN]),
    openReader: (shardId: string, position: ShardPosition) => ({
      read: async (maxRecords: number) => {
        reads.push([shardId, position, maxRecords]);
        orThrow(answers.read);
        return { records: [], isEnd: false };
      },
    }),
    close: () => open--,
  } as unknown as StreamSource;
  const questions: StreamQuestions = {
    nowMs: NOW_MS,
    createSource: () => {
      open++;
      return source;
    },
    describeStream: async () => ({ status: 'ACTIVE', retentionHours: 24, ...orThrow(answers.stream ?? {}) }),
    describeConsumer: async () => ({ status: orThrow(answers.consumer ?? 'ACTIVE'), retentionHours: undefined }),
    describeTableStream: async () => ({ status: 'ENABLED', viewType: 'NEW_AND_OLD_IMAGES', ...orThrow(answers.table ?? {}) }),
  };
  const findings = await checkStream(mapping, questions);
  expect(open).toBe(0);
  return { findings, reads };
}

const hoursAgo = (hours: number) => ({ kind: 'AT_TIMESTAMP', timestampMs: NOW_MS - hours * 3_600_000 }) as const;
const fault = (code: FaultCode, name = 'TheServiceName') => new SourceError(code, name, 'GetRecords failed: what it said');
const path = ['mappings', 'clicks', 'EventSourceArn'];

describe('a Kinesis stream', () => {
  test('that is active is read once, at the tip of an open shard', async () => {
    expect(await check(clicks)).toEqual({ findings: [], reads: [['shardId-1', { kind: 'LATEST' }, 1]] });
  });

  test('that is being updated can be read', async () => {
    expect((await check(clicks, { stream: { status: 'UPDATING' } })).findings).toEqual([]);
  });

  test.each([
    ['CREATING', 'warning', 'reading begins once it is there'],
    ['DELETING', 'error', 'name another stream'],
  ])('that is %s is a(n) %s, and is not read', async (status, severity, help) => {
    const { findings, reads } = await check(clicks, { stream: { status } });
    expect(findings).toEqual([
      { severity, path, code: 'stream-not-active', message: `the stream is ${status}`, help: expect.stringContaining(help) },
    ]);
    expect(reads).toEqual([]);
  });

  test.each<[string, Partial<StreamMapping>, string[]]>([
    ['a start within the retention', { startingPosition: hoursAgo(23) }, []],
    ['a start before it', { startingPosition: hoursAgo(25) }, ['before-retention']],
    ['an age up to it', { maximumRecordAgeInSeconds: 86_400 }, []],
    ['an age beyond it', { maximumRecordAgeInSeconds: 86_401 }, ['beyond-retention']],
  ])('that keeps records for a day, and %s', async (_, given, codes) => {
    const { findings } = await check({ ...clicks, ...given });
    expect(findings.map(({ code }) => code)).toEqual(codes);
    expect(findings.every(({ severity, message }) => severity === 'warning' && message.includes('keeps records for 24 h'))).toBe(true);
  });
});

describe('a first run over old records', () => {
  test.each<[string, StreamMapping, Partial<StreamMapping>, boolean]>([
    ['all of a stream, an hour old at most', clicks, { maximumRecordAgeInSeconds: 3600 }, true],
    ['all of a table stream, an hour old at most', table, { maximumRecordAgeInSeconds: 3600 }, true],
    ['from two hours ago, an hour old at most', clicks, { startingPosition: hoursAgo(2), maximumRecordAgeInSeconds: 3600 }, true],
    ['from an hour ago, two hours old at most', clicks, { startingPosition: hoursAgo(1), maximumRecordAgeInSeconds: 7200 }, false],
    ['from now on, an hour old at most', clicks, { startingPosition: { kind: 'LATEST' }, maximumRecordAgeInSeconds: 3600 }, false],
    ['all of a stream, as old as it gets', clicks, { maximumRecordAgeInSeconds: 86_400 }, false],
    ['all of a stream, of any age', clicks, {}, false],
  ])('%s', async (_, mapping, given, isTold) => {
    const { findings } = await check({ ...mapping, ...given });
    expect(findings.filter(({ code }) => code === 'start-beyond-age').map(({ severity }) => severity)).toEqual(isTold ? ['notice'] : []);
  });
});

describe('enhanced fan-out', () => {
  test('an active consumer is fine, and nobody subscribes or polls', async () => {
    expect(await check(byConsumer)).toEqual({ findings: [], reads: [] });
    expect(await check(registering)).toEqual({ findings: [], reads: [] });
  });

  test('a consumer that is not there is an error, unless the mapping registers it', async () => {
    const missing = { consumer: fault('notFound', 'ResourceNotFoundException') };
    expect((await check(byConsumer, missing)).findings).toMatchObject([{ severity: 'error', code: 'consumer-missing', path }]);
    expect((await check(registering, missing)).findings).toMatchObject([
      { severity: 'notice', code: 'consumer-to-register', path: ['mappings', 'clicks', 'kinesis', 'registerConsumer'] },
    ]);
  });

  test('a consumer that may not be looked at is told from one that is not there', async () => {
    const { findings } = await check(byConsumer, { consumer: fault('accessDenied', 'AccessDeniedException') });
    expect(findings).toMatchObject([{ severity: 'error', code: 'stream-refused', help: expect.stringContaining('SubscribeToShard') }]);
  });

  test.each([
    ['CREATING', 'warning'],
    ['DELETING', 'error'],
  ])('a consumer that is %s is a(n) %s', async (status, severity) => {
    expect((await check(byConsumer, { consumer: status })).findings).toMatchObject([{ severity, message: `the consumer is ${status}` }]);
  });
});

describe('the stream of a table', () => {
  test.each([
    ['KEYS_ONLY', 'the keys of an item alone'],
    ['NEW_IMAGE', 'items as they are after a change'],
    ['OLD_IMAGE', 'items as they were before a change'],
    ['NEW_AND_OLD_IMAGES', 'items before and after a change'],
  ])('with %s shows %s', async (viewType, words) => {
    const { findings, reads } = await check(table, { table: { viewType } });
    expect(findings).toEqual([{ severity: 'notice', path, code: 'stream-view-type', message: `its records show ${words} (${viewType})` }]);
    expect(reads).toHaveLength(1);
  });

  test('that is being switched on is a warning, and is not read', async () => {
    const { findings, reads } = await check(table, { table: { status: 'ENABLING' } });
    expect(findings).toMatchObject([{ severity: 'warning', message: 'the stream is ENABLING' }, { code: 'stream-view-type' }]);
    expect(reads).toEqual([]);
  });

  test('that was switched off is a warning, because it can still be read', async () => {
    const { findings } = await check(table, { table: { status: 'DISABLED' }, shards: [CLOSED] });
    expect(findings).toMatchObject([
      { severity: 'warning', code: 'stream-disabled', help: expect.stringContaining('LatestStreamArn') },
      { code: 'stream-view-type' },
    ]);
  });

  test.each([
    ['{"dynamodb":{"NewImage":{"plan":{"S":["pro"]}}}}', 'OLD_IMAGE', 1],
    ['{"dynamodb":{"NewImage":{"plan":{"S":["pro"]}},"OldImage":{"plan":{"S":["free"]}}}}', 'KEYS_ONLY', 2],
    ['{"dynamodb":{"NewImage":{"plan":{"S":["pro"]}}}}', 'NEW_IMAGE', 0],
    ['{"eventName":["INSERT"],"dynamodb":{"Keys":{"id":{"S":["a"]}}}}', 'KEYS_ONLY', 0],
    ['{"eventName":["INSERT"]}', 'KEYS_ONLY', 0],
  ])('that has the pattern %s on %s records asks %i times for what is not there', async (pattern, viewType, times) => {
    const { findings } = await check({ ...table, filterPatterns: ['{"eventName":["REMOVE"]}', pattern] }, { table: { viewType } });
    const absent = findings.filter(({ code }) => code === 'image-absent');
    expect(absent).toHaveLength(times);
    for (const finding of absent) expect(finding.path).toEqual(['mappings', 'clicks', 'FilterCriteria', 'Filters', '1', 'Pattern']);
  });
});

describe('trouble', () => {
  const cases: readonly (readonly [name: string, mapping: StreamMapping, answers: (error: SourceError) => Answers])[] = [
    ['when a stream is described', clicks, (error) => ({ stream: error })],
    ['when its shards are listed', clicks, (error) => ({ shards: error })],
    ['when it is read', clicks, (error) => ({ read: error })],
    ['when a table stream is described', table, (error) => ({ table: error })],
  ];

  test.each(cases)('%s has a code for each class, and says what the service said', async (_, mapping, answers) => {
    const codeOf = async (error: SourceError) => {
      const { findings } = await check(mapping, answers(error));
      return findings.map(({ severity, code }) => `${severity} ${code}`).at(-1);
    };
    expect(await codeOf(fault('notFound'))).toBe('error stream-missing');
    expect(await codeOf(fault('accessDenied', 'AccessDeniedException'))).toBe('error stream-refused');
    expect(await codeOf(fault('accessDenied', 'CredentialsProviderError'))).toBe('error aws-credentials');
    expect(await codeOf(fault('accessDenied', 'ExpiredTokenException'))).toBe('error aws-credentials');
    for (const code of ['unavailable', 'throttled', 'invalid', 'unknown', 'expired'] as const) {
      expect(await codeOf(fault(code))).toBe('error stream-unreachable');
    }
  });

  test('a missing stream is told in the words of Lambda, with the place that was asked', async () => {
    const { findings } = await check(clicks, { stream: fault('notFound') });
    expect(findings).toEqual([
      {
        severity: 'error',
        path,
        code: 'stream-missing',
        message: 'the stream does not exist',
        help: 'asked http://127.0.0.1:4566; check name, account and region, or create the stream',
        awsMessage: `Stream not found: ${clicks.eventSourceArn}`,
      },
    ]);
  });

  test('a missing permission names the call that was refused and all that are needed', async () => {
    const { findings } = await check(table, { read: fault('accessDenied', 'AccessDeniedException') });
    expect(findings).toMatchObject([
      {
        message: 'the stream may not be read (AccessDeniedException: GetRecords failed: what it said)',
        help: 'the credentials found here need dynamodb:DescribeStream, GetShardIterator and GetRecords',
      },
    ]);
  });

  test('what is no answer of a source is not hidden', async () => {
    const broken = { describeStream: () => Promise.reject(new TypeError('broken')) } as unknown as StreamQuestions;
    await expect(checkStream(clicks, broken)).rejects.toThrow('broken');
  });
});
