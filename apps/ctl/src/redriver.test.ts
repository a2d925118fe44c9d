import { StoreError } from '@wherry/core/coordination';
import type { FailedBatch } from '@wherry/core/failed-store';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, Mapping } from '@wherry/core/mapping';
import { MemoryFailedStore } from '@wherry/testkit/memory-failed-store';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { sampleConfig, sampleFunction, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { sampleFailure } from '@wherry/testkit/sample-failure';
import { SimClock } from '@wherry/testkit/sim-clock';
import { describe, expect, test } from 'vitest';
import { Redriver, type RedriveResult } from './redriver.ts';

const mapping = sampleStreamMapping({ name: 'clicks', functionName: 'count', qualifier: 'PROD', reportBatchItemFailures: true });
const count = sampleFunction({ name: 'count', timeoutSeconds: 10 });
const BATCH_ID = '0f9c3c3e-8f5e-4d0c-9a55-0d8f3a7f6a11';

const recordText = (number: number): string =>
  `{"kinesis":{"sequenceNumber":"4966${number}","data":"aGVsbG8=","approximateArrivalTimestamp":1789649522.${number}}}`;
const eventOf = (numbers: readonly number[], tail = ''): string => `{"Records":[${numbers.map(recordText).join(',')}]${tail}}`;
const success = (answer: unknown = {}): InvokeResult => ({ kind: 'success', body: Buffer.from(JSON.stringify(answer)), durationMs: 1 });
const failsFrom = (...numbers: number[]): InvokeResult =>
  success({ batchItemFailures: numbers.map((number) => ({ itemIdentifier: `4966${number}` })) });
const functionError: InvokeResult = {
  kind: 'functionError',
  errorType: 'TypeError',
  errorMessage: 'no plan',
  body: Buffer.from('{}'),
  durationMs: 1,
};

interface World {
  readonly mappings?: readonly Mapping[];
  readonly functions?: readonly FunctionDefinition[];
  /** What the function answers, one after the other; the last one again and again. */
  readonly answers?: readonly InvokeResult[];
  /** How long the function takes. */
  readonly tookMs?: number;
}

/** A store with one batch of the records 1, 2 and 3, and what a redrive works with. */
function createWorld({ mappings = [mapping], functions = [count], answers = [success()], tookMs = 0 }: World = {}) {
  const sim = new SimClock();
  const store = new MemoryFailedStore();
  const permits = new MemoryPermitStore(sim.clock());
  const seen: InvokeRequest[] = [];
  let ids = 0;
  const surroundings = { clock: sim.clock(), random: () => 0.5, newId: () => `id-${++ids}` };
  const invoker: Invoker = {
    invoke: async (request) => {
      seen.push(request);
      await sim.sleep(tookMs);
      return answers[Math.min(seen.length, answers.length) - 1]!;
    },
    close: () => Promise.resolve(),
  };
  const config = sampleConfig({ mappings, functions });
  const openRedriver = (): Redriver => new Redriver({ config, surroundings, store, permits, createInvoker: () => invoker });
  const putBatch = (event = eventOf([1, 2, 3]), changes: Partial<FailedBatch> = {}): Promise<void> =>
    store.put({ ...sampleBatch(), ...changes }, Buffer.from(event));
  const textOf = async (id: string): Promise<string> => new TextDecoder().decode((await store.get(id))?.event);
  return { sim, store, permits, seen, openRedriver, putBatch, textOf };
}

function sampleBatch(): FailedBatch {
  return {
    id: BATCH_ID,
    name: 'orders',
    mapping: 'clicks',
    mappingUuid: mapping.uuid,
    functionName: 'count',
    condition: 'RetryAttemptsExhausted',
    shardId: 'shardId-000000000000',
    records: 3,
    firstSequenceNumber: '49661',
    lastSequenceNumber: '49663',
    failedAtMs: 1_600_000_000_000,
    document: sampleFailure(BATCH_ID).document,
    eventBytes: 100,
  };
}

/** Redrives the batch while virtual time passes as it is needed. */
async function redrive({ sim, openRedriver }: Pick<ReturnType<typeof createWorld>, 'sim' | 'openRedriver'>): Promise<RedriveResult> {
  const result = openRedriver().redrive(sampleBatch());
  await sim.advance(600_000);
  return await result;
}

describe('a batch that is redriven', () => {
  test('goes to the function as it was stored, and is gone once that succeeded', async () => {
    const world = createWorld();
    await world.putBatch();
    expect(await redrive(world)).toEqual({ outcome: 'succeeded' });
    expect(world.seen).toMatchObject([
      {
        function: { name: 'count' },
        qualifier: 'PROD',
        payload: Buffer.from(eventOf([1, 2, 3])),
        delivery: {
          fleet: 't1',
          mapping: 'clicks',
          source: mapping.eventSourceArn,
          batch: BATCH_ID,
          attempt: 1,
          records: 3,
          first: '49661',
          last: '49663',
          epoch: 0,
        },
      },
    ]);
    expect(await world.store.list({ limit: 9 })).toEqual([]);
    expect(world.permits.total()).toBe(0);
  });

  test.each<[InvokeResult, string]>([
    [functionError, 'TypeError'],
    [failsFrom(1), '1 of 3 records are listed in batchItemFailures'],
    [
      success({ batchItemFailures: [{}] }),
      'malformed batch response: batchItemFailures[0] has no itemIdentifier that is a non-empty string',
    ],
    [{ kind: 'timedOut', durationMs: 1 }, 'no answer within the deadline'],
    [{ kind: 'tooLarge', reason: '413 Payload Too Large', durationMs: 1 }, '413 Payload Too Large'],
  ])('stays as it was if it fails again: %o', async (answer, reason) => {
    const world = createWorld({ answers: [answer] });
    await world.putBatch();
    expect(await redrive(world)).toEqual({ outcome: 'failed', reason });
    expect(world.seen).toHaveLength(1);
    expect(await world.textOf(BATCH_ID)).toBe(eventOf([1, 2, 3]));
  });

  test('leaves what a partial failure did not do as a batch of its own, with a failure record of its own', async () => {
    const world = createWorld({ answers: [failsFrom(3, 2)] });
    await world.putBatch();
    const result = await redrive(world);
    expect(result).toEqual({
      outcome: 'partial',
      succeeded: 1,
      restId: expect.any(String),
      reason: '2 of 3 records are listed in batchItemFailures',
    });
    const [rest, ...others] = await world.store.list({ limit: 9 });
    expect(others).toEqual([]);
    const restId = result.outcome === 'partial' ? result.restId : '';
    expect(rest).toEqual({
      ...sampleBatch(),
      id: restId,
      records: 2,
      firstSequenceNumber: '49662',
      failedAtMs: 1_700_000_000_000,
      eventBytes: eventOf([2, 3]).length,
      document:
        `{"requestContext":{"requestId":"${world.seen[0]?.requestId}","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f",` +
        '"condition":"RetryAttemptsExhausted","approximateInvokeCount":1},' +
        '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0",' +
        '"timestamp":"2023-11-14T22:13:20.000Z","KinesisBatchInfo":{"shardId":"shardId-000000000000",' +
        '"startSequenceNumber":"49662","endSequenceNumber":"49663","approximateArrivalOfFirstRecord":"2026-09-17T12:52:02.200Z",' +
        '"approximateArrivalOfLastRecord":"2026-09-17T12:52:02.300Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/clicks"}}',
    });
    expect(await world.textOf(restId)).toBe(eventOf([2, 3]));
  });

  test('without ReportBatchItemFailures an answer that names records is a success', async () => {
    const world = createWorld({ mappings: [{ ...mapping, reportBatchItemFailures: false }], answers: [failsFrom(2)] });
    await world.putBatch();
    expect(await redrive(world)).toEqual({ outcome: 'succeeded' });
  });

  test('of a window has to be answered with a state, and its rest goes on with that', async () => {
    const tail = ',"window":{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"},"state":{"sum":1}';
    const broken = createWorld();
    await broken.putBatch(eventOf([1, 2, 3], tail));
    expect(await redrive(broken)).toEqual({ outcome: 'failed', reason: 'malformed window response: the answer has no state' });
    const world = createWorld({ answers: [success({ state: { sum: 7 }, batchItemFailures: [{ itemIdentifier: '49663' }] })] });
    await world.putBatch(eventOf([1, 2, 3], tail));
    const result = await redrive(world);
    expect(await world.textOf(result.outcome === 'partial' ? result.restId : '')).toBe(eventOf([3], tail.replace('"sum":1', '"sum":7')));
  });

  test('with an event that is none is told, and not invoked', async () => {
    const world = createWorld();
    await world.putBatch('{}');
    expect(await redrive(world)).toEqual({ outcome: 'failed', reason: 'not the event of a stream: it has no list of Records' });
    expect(world.seen).toEqual([]);
  });
});

describe('a target that refuses', () => {
  const throttled: InvokeResult = { kind: 'throttled', reason: 'TooManyRequests', retryAfterMs: 2_000, durationMs: 1 };
  const away: InvokeResult = { kind: 'unavailable', reason: 'connect ECONNREFUSED', permanent: false, durationMs: 1 };

  test('is asked again, not before it said', async () => {
    const world = createWorld({ answers: [throttled, away, success()] });
    await world.putBatch();
    const startedAtMs = world.sim.nowMs();
    const result = world.openRedriver().redrive(sampleBatch());
    await world.sim.run(startedAtMs + 1_999);
    expect(world.seen).toHaveLength(1);
    await world.sim.advance(60_000);
    expect(await result).toEqual({ outcome: 'succeeded' });
    expect(world.seen).toHaveLength(3);
  });

  test.each([
    ['after some tries', away, 8],
    ['at once where the refusal is final', { ...away, reason: 'ResourceNotFoundException', permanent: true }, 1],
  ])('is left alone %s, and so are the batches behind', async (_when, answer, tries) => {
    const world = createWorld({ answers: [answer] });
    await world.putBatch();
    const redriver = world.openRedriver();
    const results = [redriver.redrive(sampleBatch())];
    await world.sim.advance(600_000);
    results.push(redriver.redrive(sampleBatch()));
    const reason = `function "count" refused a batch before: ${answer.reason}`;
    expect(await Promise.all(results)).toEqual([
      { outcome: 'refused', reason: answer.reason },
      { outcome: 'notTried', reason },
    ]);
    expect(world.seen).toHaveLength(tries);
    expect(await world.textOf(BATCH_ID)).toBe(eventOf([1, 2, 3]));
    expect(world.permits.total()).toBe(0);
  });
});

describe('nobody is called', () => {
  test.each<[string, World, string]>([
    [
      'the mapping is gone',
      { mappings: [] },
      'the configuration has no stream mapping "clicks" any more: bring it back, or discard the batch',
    ],
    [
      'the function is stopped',
      { functions: [{ ...count, reservedConcurrentExecutions: 0 }] },
      'function "count" is stopped: its ReservedConcurrentExecutions is 0',
    ],
  ])('where %s', async (_why, given, reason) => {
    const world = createWorld(given);
    await world.putBatch();
    expect(await redrive(world)).toEqual({ outcome: 'notTried', reason });
    expect(world.seen).toEqual([]);
  });

  test('where the batch was taken out meanwhile', async () => {
    const world = createWorld();
    expect(await redrive(world)).toEqual({ outcome: 'gone' });
    expect(world.seen).toEqual([]);
  });
});

describe('caps of the fleet', () => {
  const capped = { ...count, reservedConcurrentExecutions: 1 };

  test.each<[string, FunctionDefinition, string]>([
    ['ReservedConcurrentExecutions', capped, 'reserved'],
    ['the containers of a RIE target', { ...count, target: { kind: 'rie', urls: ['http://127.0.0.1:9000'], concurrency: 1 } }, 'rie'],
  ])('a batch waits until the fleet leaves room: %s', async (_cap, definition, scope) => {
    const world = createWorld({ functions: [definition] });
    await world.putBatch();
    await world.permits.acquire('count', [{ scope, limit: 1 }], 'a poller', 5_000);
    const result = world.openRedriver().redrive(sampleBatch());
    await world.sim.advance(4_900);
    expect(world.seen).toEqual([]);
    await world.sim.advance(1_000);
    expect(await result).toEqual({ outcome: 'succeeded' });
    expect(world.permits.peaks.get(scope)).toBe(1);
    expect(world.permits.total()).toBe(0);
  });

  test('a cap that stays reached for minutes is a refusal', async () => {
    const world = createWorld({ functions: [capped] });
    await world.putBatch();
    await world.permits.acquire('count', [{ scope: 'reserved', limit: 1 }], 'a poller', 3_600_000);
    expect(await redrive(world)).toEqual({ outcome: 'refused', reason: 'all that its caps allow is in use by the fleet' });
  });
});

describe('two redrives at once', () => {
  test('never invoke the same batch at the same time', async () => {
    const world = createWorld({ tookMs: 5_000 });
    await world.putBatch();
    const results = [world.openRedriver(), world.openRedriver()].map((redriver) => redriver.redrive(sampleBatch()));
    await world.sim.advance(60_000);
    expect(await Promise.all(results)).toEqual([{ outcome: 'succeeded' }, { outcome: 'busy' }]);
    expect(world.seen).toHaveLength(1);
  });

  test.each([
    ['gone, if that succeeded', success(), { outcome: 'gone' }],
    [
      'still there, if it failed',
      functionError,
      { outcome: 'failed', reason: 'somebody else redrove it at the same time, and it is still there' },
    ],
  ])('what the other has in hand is waited for: %s', async (_what, answer, outcome) => {
    const world = createWorld({ tookMs: 5_000, answers: [answer] });
    await world.putBatch();
    void world.openRedriver().redrive(sampleBatch());
    await world.sim.advance(1_000);
    const awaited = world.openRedriver().awaitOther(sampleBatch());
    await world.sim.advance(60_000);
    expect(await awaited).toEqual(outcome);
    expect(world.seen).toHaveLength(1);
  });

  test('one that was killed keeps the other away until its invocation must have ended', async () => {
    const world = createWorld({ tookMs: Infinity });
    await world.putBatch();
    void world.openRedriver().redrive(sampleBatch());
    await world.sim.advance(0);
    expect(world.seen).toHaveLength(1);
    // Ten seconds of Timeout, and what the claim outlives that.
    await world.sim.advance(24_999);
    expect(await world.openRedriver().redrive(sampleBatch())).toEqual({ outcome: 'busy' });
    await world.sim.advance(1);
    void world.openRedriver().redrive(sampleBatch());
    await world.sim.advance(0);
    expect(world.seen).toHaveLength(2);
  });
});

describe('a store that is away', () => {
  test('when the batch is to be taken out is asked again', async () => {
    const world = createWorld({ tookMs: 1_000 });
    await world.putBatch();
    const result = world.openRedriver().redrive(sampleBatch());
    world.sim.after(500, () => (world.store.isAway = true));
    world.sim.after(1_200, () => (world.store.isAway = false));
    await world.sim.advance(60_000);
    expect(await result).toEqual({ outcome: 'succeeded' });
    expect(world.seen).toHaveLength(1);
  });

  test('for longer makes the batch come again, and says so', async () => {
    const world = createWorld({ tookMs: 1_000 });
    await world.putBatch();
    const result = world.openRedriver().redrive(sampleBatch());
    world.sim.after(500, () => (world.store.isAway = true));
    await world.sim.advance(60_000);
    expect(await result).toEqual({ outcome: 'notRemoved', reason: 'the store is away' });
  });

  test('or full when the rest is to be stored keeps the whole batch', async () => {
    const world = createWorld({ answers: [failsFrom(2)] });
    await world.putBatch();
    world.store.put = () => Promise.reject(new StoreError('the store is full'));
    expect(await redrive(world)).toEqual({ outcome: 'notRemoved', reason: 'the store is full' });
    expect(await world.textOf(BATCH_ID)).toBe(eventOf([1, 2, 3]));
  });

  test('before anything was done ends the redrive', async () => {
    const world = createWorld();
    await world.putBatch();
    world.store.isAway = true;
    await expect(world.openRedriver().redrive(sampleBatch())).rejects.toMatchObject({ name: 'StoreError' });
    expect(world.seen).toEqual([]);
    expect(world.permits.total()).toBe(0);
  });
});
