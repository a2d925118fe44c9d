import { functionError, success, throttled } from '@wherry/testkit/fake-invoker';
import { describe, expect, it } from 'vitest';
import { type BenchOptions, type Call, ShardBench, numberOfText, reports } from '../../test-data/shard-bench.ts';

const raisesAt =
  (bad: number) =>
  ({ records }: Call) =>
    records.includes(bad) ? functionError() : success();
const reportsAt =
  (bad: number) =>
  ({ records }: Call) =>
    records.includes(bad) ? reports(bad) : success();
const deliver = (): void => undefined;

/** What AWS did with four records, of which the second is bad: invocations, then failure records. */
const recorded: readonly (readonly [string, BenchOptions, string, string])[] = [
  [
    'STR-01 raise, bisect, 1 retry',
    { mapping: { bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 }, answer: raisesAt(2) },
    '[1,2,3,4] [1,2] [1] [2] [2] [3,4]',
    '[2] RetryAttemptsExhausted 2',
  ],
  [
    'STR-02 raise, 2 retries',
    { mapping: { maximumRetryAttempts: 2 }, answer: raisesAt(2) },
    '[1,2,3,4] [1,2,3,4] [1,2,3,4]',
    '[1,2,3,4] RetryAttemptsExhausted 3',
  ],
  [
    'STR-03 partial response, 1 retry',
    { mapping: { reportBatchItemFailures: true, maximumRetryAttempts: 1 }, answer: reportsAt(2) },
    '[1,2,3,4] [2,3,4] [2,3,4]',
    '[2,3,4] RetryAttemptsExhausted 2',
  ],
  [
    'STR-04 partial response, bisect, 1 retry',
    { mapping: { reportBatchItemFailures: true, bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 }, answer: reportsAt(2) },
    '[1,2,3,4] [2,3,4] [2] [2] [3,4]',
    '[2] RetryAttemptsExhausted 2',
  ],
  [
    'STR-09 raise, no retries',
    { mapping: { maximumRetryAttempts: 0 }, answer: raisesAt(2) },
    '[1,2,3,4]',
    '[1,2,3,4] RetryAttemptsExhausted 1',
  ],
];

const documents = ({ deliveries }: ShardBench): string[] =>
  deliveries.map(({ failure }) => {
    const numbers = failure.records.map((record) => numberOfText(record.sequenceNumber));
    return `[${numbers.join(',')}] ${failure.condition} ${failure.approximateInvokeCount}`;
  });

describe('the recorded traces of AWS, through the loop', () => {
  it.each(recorded)('%s', async (_, options, invocations, document) => {
    const bench = new ShardBench({ ...options, deliver });
    bench.put([1, 2, 3, 4]);
    await bench.start();
    await bench.pass(60_000);
    expect(bench.trace).toBe(invocations);
    expect(documents(bench)).toEqual([document]);
    expect(await bench.checkpoint()).toBe(4);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it('STR-02 an unchanged batch keeps its id, which is the request id too, and its attempts are counted', async () => {
    const bench = new ShardBench({ mapping: { maximumRetryAttempts: 2 }, answer: raisesAt(2), deliver });
    bench.put([1, 2, 3, 4]);
    await bench.start();
    await bench.pass(60_000);
    const deliveries = bench.calls.map(({ request }) => request.delivery);
    expect(new Set(bench.calls.map(({ request }) => request.requestId))).toEqual(new Set([deliveries[0]?.batch]));
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(deliveries[0]).toMatchObject({ fleet: 't1', mapping: 'clicks', records: 4, epoch: 1 });
    expect([numberOfText(deliveries[0]!.first), numberOfText(deliveries[0]!.last)]).toEqual([1, 4]);
  });

  it('STR-10 fifty throttles and no retries: the records are delivered, and none is given up', async () => {
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 0 },
      answer: (_, index) => (index < 50 ? throttled() : success()),
      deliver,
    });
    bench.put([1, 2]);
    await bench.start();
    await bench.pass(3_600_000);
    expect(bench.calls).toHaveLength(51);
    expect(bench.deliveries).toEqual([]);
    expect(await bench.checkpoint()).toBe(2);
  });
});
