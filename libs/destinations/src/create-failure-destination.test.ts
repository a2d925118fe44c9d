import { StoreError } from '@wherry/core/coordination';
import type { FailedBatch, FailedStore } from '@wherry/core/failed-store';
import type { OnFailure } from '@wherry/core/mapping';
import { sampleFailure } from '@wherry/testkit/sample-failure';
import { SimClock } from '@wherry/testkit/sim-clock';
import { describe, expect, test } from 'vitest';
import { createFailureDestination, type FailureDestinationOptions } from './create-failure-destination.ts';
import { DestinationClients } from './destination-clients.ts';

const aws = { region: 'eu-west-1', maxAttempts: 3 };
const mapping = { name: 'clicks', uuid: '89ab5863-a191-4ee1-8529-93984bfee000', functionName: 'count', qualifier: 'PROD' };
const noSignal = new AbortController().signal;

function unused(): Promise<never> {
  return Promise.reject(new Error('a destination only puts'));
}

/** A store that knows `put` alone. */
function storeOf(put: FailedStore['put']): FailedStore {
  return { put, list: unused, get: unused, remove: unused, counts: unused };
}

function optionsOf(given: Partial<FailureDestinationOptions> = {}): FailureDestinationOptions {
  return {
    mapping,
    clients: new DestinationClients(() => ({})),
    failedStore: storeOf(() => Promise.resolve()),
    clock: new SimClock().clock(),
    ...given,
  };
}

describe('the store of the fleet', () => {
  test('gets the batch with its whole event and all that a redrive needs', async () => {
    const puts: [FailedBatch, Uint8Array][] = [];
    const failedStore = storeOf((batch, event) => {
      puts.push([batch, event]);
      return Promise.resolve();
    });
    const { delivery, document, event } = sampleFailure('0f9c3c3e-8f5e-4d0c-9a55-0d8f3a7f6a11');
    await createFailureDestination({ kind: 'failed', name: 'orders' }, optionsOf({ failedStore })).deliver(delivery, noSignal);
    const batch: FailedBatch = {
      id: '0f9c3c3e-8f5e-4d0c-9a55-0d8f3a7f6a11',
      name: 'orders',
      mapping: 'clicks',
      mappingUuid: mapping.uuid,
      functionName: 'count',
      qualifier: 'PROD',
      condition: 'RetryAttemptsExhausted',
      shardId: 'shardId-000000000000',
      records: 2,
      firstSequenceNumber: '496601',
      lastSequenceNumber: '496609',
      failedAtMs: Date.parse('2026-09-17T12:52:04.117Z'),
      document,
      eventBytes: Buffer.byteLength(event),
    };
    expect(puts).toEqual([[batch, Buffer.from(event)]]);
  });

  test('the last call of a window has no records, and a mapping without a qualifier names none', async () => {
    const batches: FailedBatch[] = [];
    const failedStore = storeOf((batch) => {
      batches.push(batch);
      return Promise.resolve();
    });
    const { delivery } = sampleFailure('1');
    const options = optionsOf({ failedStore, mapping: { name: 'clicks', uuid: mapping.uuid, functionName: 'count' } });
    const failure = { ...delivery.failure, records: [] };
    await createFailureDestination({ kind: 'failed', name: 'orders' }, options).deliver({ ...delivery, failure }, noSignal);
    expect(batches).toMatchObject([{ records: 0, firstSequenceNumber: '', lastSequenceNumber: '' }]);
    expect(batches[0]).not.toHaveProperty('qualifier');
  });

  test('that does not take the batch is unavailable, and says why', async () => {
    const failedStore = storeOf(() => Promise.reject(new StoreError('the store of failed batches is full')));
    const destination = createFailureDestination({ kind: 'failed', name: 'orders' }, optionsOf({ failedStore }));
    await expect(destination.deliver(sampleFailure('1').delivery, noSignal)).rejects.toMatchObject({
      name: 'SourceError',
      code: 'unavailable',
      serviceCode: 'StoreError',
      message: 'writing to wherry://failed/orders failed: the store of failed batches is full',
    });
  });

  test('an abort does not wait for it', async () => {
    const failedStore = storeOf(() => new Promise(() => {}));
    const stop = new AbortController();
    const delivered = createFailureDestination({ kind: 'failed', name: 'orders' }, optionsOf({ failedStore })).deliver(
      sampleFailure('1').delivery,
      stop.signal,
    );
    stop.abort();
    await expect(delivered).rejects.toMatchObject({ name: 'SourceError', serviceCode: 'AbortError' });
  });
});

describe('clients', () => {
  const onFailure: readonly OnFailure[] = [
    { kind: 'sqs', arn: 'arn:aws:sqs:us-west-2:123456789012:failed', aws },
    { kind: 'sns', arn: 'arn:aws:sns:us-west-2:123456789012:failed', aws },
    { kind: 's3', arn: 'arn:aws:s3:::failed', aws },
  ];

  test.each(onFailure)('of $kind are made by the first delivery, not before, in the region of the place', async (where) => {
    const regions: string[] = [];
    const clients = new DestinationClients(({ region }) => {
      regions.push(region);
      throw new Error('no settings today');
    });
    const destination = createFailureDestination(where, optionsOf({ clients }));
    expect(regions).toEqual([]);
    const delivered = destination.deliver(sampleFailure('1').delivery, noSignal);
    await expect(delivered).rejects.toMatchObject({
      name: 'SourceError',
      code: 'unknown',
      message: expect.stringContaining('no settings today'),
    });
    // A bucket's ARN names no region.
    expect(regions).toEqual([where.kind === 's3' ? 'eu-west-1' : 'us-west-2']);
    destination.close();
  });

  test.each<[OnFailure, string]>([
    [{ kind: 'sqs', arn: 'arn:aws:sns:us-west-2:123456789012:failed', aws }, 'expected arn:aws:sqs:REGION:ACCOUNT:NAME'],
    [{ kind: 'sns', arn: 'arn:aws:sqs:us-west-2:123456789012:failed', aws }, 'expected arn:aws:sns:REGION:ACCOUNT:NAME'],
    [{ kind: 's3', arn: 'arn:aws:s3:::failed/prefix', aws }, 'expected arn:aws:s3:::NAME'],
  ])('an ARN of something else is a mistake of the caller: %o', (where, message) => {
    expect(() => createFailureDestination(where, optionsOf())).toThrow(message);
  });
});
