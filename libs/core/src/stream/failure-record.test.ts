import { describe, expect, it } from 'vitest';
import { type FailureOrigin, failureObjectKey, failureRecord } from './failure-record.ts';
import type { Discarded } from './stream-batch.ts';

const at = (text: string): number => Date.parse(text);
const record = (sequenceNumber: string, arrived: string): Discarded['records'][number] => ({
  sequenceNumber,
  arrivedAtMs: at(arrived),
  orderKey: 'key',
  recordJson: '{}',
  recordBytes: 2,
});

const KINESIS: FailureOrigin = {
  source: 'kinesis',
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
  streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks',
  shardId: 'shardId-000000000000',
};
const DYNAMODB: FailureOrigin = {
  source: 'dynamodb',
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:PROD',
  streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-09-17T12:49:54.528',
  shardId: 'shardId-00000001789654247890-85a74c59',
};
const EXHAUSTED: Discarded = {
  condition: 'RetryAttemptsExhausted',
  approximateInvokeCount: 2,
  requestId: 'c9b8fa9f-5a7f-4c5b-8f0c-1f2e3d4c5b6a',
  response: { statusCode: 200, functionError: 'Unhandled' },
  records: [
    record('496601', '2026-09-17T12:52:02.835Z'),
    record('496605', '2026-09-17T12:52:02.9Z'),
    record('496609', '2026-09-17T12:52:03.001Z'),
  ],
  discardedAtMs: at('2026-09-17T12:52:04.117Z'),
};

describe('a failure record', () => {
  it('STR-13 STR-14 of Kinesis: members in order, times in milliseconds, no records', () => {
    expect(failureRecord(EXHAUSTED, KINESIS)).toBe(
      '{"requestContext":{"requestId":"c9b8fa9f-5a7f-4c5b-8f0c-1f2e3d4c5b6a",' +
        '"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f",' +
        '"condition":"RetryAttemptsExhausted","approximateInvokeCount":2},' +
        '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},' +
        '"version":"1.0","timestamp":"2026-09-17T12:52:04.117Z",' +
        '"KinesisBatchInfo":{"shardId":"shardId-000000000000","startSequenceNumber":"496601","endSequenceNumber":"496609",' +
        '"approximateArrivalOfFirstRecord":"2026-09-17T12:52:02.835Z","approximateArrivalOfLastRecord":"2026-09-17T12:52:03.001Z",' +
        '"batchSize":3,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/clicks"}}',
    );
  });

  it('STR-05 of DynamoDB: whole seconds, and null where records failed by batchItemFailures', () => {
    const response = { statusCode: 200, executedVersion: '7', functionError: null } as const;
    const records = [record('111', '2026-09-17T12:52:02Z')];
    expect(failureRecord({ ...EXHAUSTED, approximateInvokeCount: 4, response, records }, DYNAMODB)).toBe(
      '{"requestContext":{"requestId":"c9b8fa9f-5a7f-4c5b-8f0c-1f2e3d4c5b6a",' +
        '"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:PROD",' +
        '"condition":"RetryAttemptsExhausted","approximateInvokeCount":4},' +
        '"responseContext":{"statusCode":200,"executedVersion":"7","functionError":null},' +
        '"version":"1.0","timestamp":"2026-09-17T12:52:04.117Z",' +
        '"DDBStreamBatchInfo":{"shardId":"shardId-00000001789654247890-85a74c59","startSequenceNumber":"111","endSequenceNumber":"111",' +
        '"approximateArrivalOfFirstRecord":"2026-09-17T12:52:02Z","approximateArrivalOfLastRecord":"2026-09-17T12:52:02Z",' +
        '"batchSize":1,"streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-09-17T12:49:54.528"}}',
    );
  });

  it('STR-11 of records that were too old has no response', () => {
    const text = failureRecord({ ...EXHAUSTED, condition: 'RecordAgeExceeded', approximateInvokeCount: 8, response: undefined }, KINESIS);
    expect(text).toContain('"condition":"RecordAgeExceeded","approximateInvokeCount":8},"version":"1.0"');
    expect(text).not.toContain('responseContext');
  });

  it('EVT-08 of enhanced fan-out names the consumer', () => {
    const streamArn = `${KINESIS.streamArn}/consumer/c:1789808973`;
    expect(failureRecord(EXHAUSTED, { ...KINESIS, streamArn })).toContain(`"batchSize":3,"streamArn":"${streamArn}"}`);
  });

  it('STR-15 for S3 carries the event as a string, which parses to it', () => {
    const event = '{"Records":[{"kinesis":{"data":"aGVsbG8="},"note":"quo\\"te \\u00e9 \\n"}]}';
    const text = failureRecord(EXHAUSTED, KINESIS, event);
    expect(text).toContain('"version":"1.0","payload":"{\\"Records\\":[{\\"kinesis\\"');
    expect(text).toContain('}]}","timestamp":"2026-09-17T12:52:04.117Z","KinesisBatchInfo":{');
    expect((JSON.parse(text) as { payload: string }).payload).toBe(event);
  });

  it('STR-15 has a key with mapping, shard, day and second in UTC, without an extension', () => {
    const key = failureObjectKey(EXHAUSTED, DYNAMODB, '89ab5863-a191-4ee1-8529-93984bfee000', '35f8f827-99a9-4b0b-a19b-1f5f7c73e508');
    expect(key).toBe(
      'aws/lambda/89ab5863-a191-4ee1-8529-93984bfee000/shardId-00000001789654247890-85a74c59/2026/09/17/2026-09-17T12.52.04-35f8f827-99a9-4b0b-a19b-1f5f7c73e508',
    );
  });

  it('of a batch in a window says which', () => {
    const window = {
      startMs: at('2026-09-17T14:11:10Z'),
      endMs: at('2026-09-17T14:11:20Z'),
      isFinalInvokeForWindow: false,
      isWindowTerminatedEarly: false,
    };
    expect(failureRecord(EXHAUSTED, { ...KINESIS, window })).toMatch(
      /"streamArn":"[^"]+"},"timeWindowInfo":{"window":{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}$/,
    );
  });

  it("WIN-06 of a window's last call has the members and the order of what AWS put into S3, without a batch", () => {
    const origin: FailureOrigin = {
      ...DYNAMODB,
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:totals:final_failure',
      window: {
        startMs: at('2026-09-17T14:11:10Z'),
        endMs: at('2026-09-17T14:11:20Z'),
        isFinalInvokeForWindow: true,
        isWindowTerminatedEarly: false,
      },
    };
    const failure: Discarded = {
      ...EXHAUSTED,
      requestId: '4d16abe5-8ac2-4c60-8955-1cc9568817f8',
      approximateInvokeCount: 1,
      response: { statusCode: 200, executedVersion: '1', functionError: 'Unhandled' },
      records: [],
      discardedAtMs: at('2026-09-17T14:13:12.081Z'),
    };
    const event = '{"Records":[],"window":{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"},"state":{"count":2}}';
    expect(failureRecord(failure, origin, event)).toBe(
      '{"requestContext":{"requestId":"4d16abe5-8ac2-4c60-8955-1cc9568817f8",' +
        '"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:totals:final_failure",' +
        '"condition":"RetryAttemptsExhausted","approximateInvokeCount":1},' +
        '"responseContext":{"statusCode":200,"executedVersion":"1","functionError":"Unhandled"},"version":"1.0",' +
        '"payload":"{\\"Records\\":[],\\"window\\":{\\"start\\":\\"2026-09-17T14:11:10Z\\",\\"end\\":\\"2026-09-17T14:11:20Z\\"},\\"state\\":{\\"count\\":2}}",' +
        '"timestamp":"2026-09-17T14:13:12.081Z",' +
        '"DDBStreamBatchInfo":{"shardId":"shardId-00000001789654247890-85a74c59",' +
        '"streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-09-17T12:49:54.528"},' +
        '"timeWindowInfo":{"window":{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"},' +
        '"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}}',
    );
  });
});
