import { randomUUID } from 'node:crypto';
import type { Clock } from '@wherry/core/clock';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import { SourceError } from '@wherry/core/source-error';
import { afterAll, afterEach, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { sampleFailure } from '../sample-failure.ts';
import { SimClock } from '../sim-clock.ts';

/** A document as it arrived. */
export interface ArrivedDocument {
  readonly text: string;
  /** Of an object: where it is and what it says it is. */
  readonly key?: string;
  readonly contentType?: string | null;
}

/** One place of a backend, and the destination under test for it. */
export interface OpenDestination {
  readonly destination: FailureDestination;
  /** Makes the place that `exists: false` left out. */
  readonly create: () => Promise<void>;
  /** Waits until so many documents have arrived, and gives all that are there, read by another way than the destination. */
  readonly arrived: (count: number) => Promise<ArrivedDocument[]>;
  /** What the proxy calls the operation that delivers. */
  readonly operationOf: (delivery: FailureDelivery) => string;
}

/** How a test wants a destination. */
export interface DestinationWish {
  /** Without it the place is named but not made. */
  readonly exists: boolean;
  /** Where the destination calls. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** UUID of the mapping whose records are given up. */
  readonly mappingUuid: string;
}

/** Something that takes failure records. */
export interface DestinationBackend {
  readonly url: string;
  open(wish: DestinationWish): Promise<OpenDestination>;
  close(): Promise<void>;
}

/** What differs between the kinds. */
export interface DestinationTraits {
  /** Documents arrive as objects, with the event. */
  readonly isObjectStore: boolean;
  /** Takes objects of more than 6 MB. */
  readonly takesLargeObjects: boolean;
}

const MAPPING_UUID = '89ab5863-a191-4ee1-8529-93984bfee000';

/** Longer than any delivery may take. */
const LONG_MS = 600_000;

type Opened = OpenDestination & { readonly proxy: FaultProxy; readonly clock: SimClock };
type Open = (context: TestContext, wish?: { readonly exists?: boolean; readonly endpoint?: string }) => Promise<Opened>;

/**
 * What every failure destination of AWS does, whatever is behind it.
 *
 * @param start the backend, or the reason why this machine has none; then every test is skipped with it
 */
export function describeFailureDestination(
  name: string,
  traits: DestinationTraits,
  start: () => Promise<DestinationBackend | string>,
): void {
  describe(name, () => {
    let backend: DestinationBackend | string = 'not started';
    let proxy: FaultProxy;
    beforeAll(async () => {
      backend = await start();
      if (typeof backend !== 'string') proxy = await startFaultProxy(backend.url);
    }, 300_000);
    afterEach(() => {
      if (typeof backend !== 'string') proxy.clear();
    });
    afterAll(async () => {
      if (typeof backend === 'string') return;
      await proxy.close();
      await backend.close();
    });
    const open: Open = async (context, wish = {}) => {
      if (typeof backend === 'string') return context.skip(backend);
      const clock = new SimClock();
      const opened = await backend.open({ exists: true, endpoint: proxy.url, clock: clock.clock(), mappingUuid: MAPPING_UUID, ...wish });
      context.onTestFinished(() => opened.destination.close());
      return { ...opened, proxy, clock };
    };
    describeDocuments(open, traits);
    describeFaults(open, traits);
    describeWaiting(open);
  });
}

function noSignal(): AbortSignal {
  return new AbortController().signal;
}

function describeDocuments(open: Open, traits: DestinationTraits): void {
  if (traits.isObjectStore) {
    test('STR-15 the document arrives with the event as a string, byte for byte, under the key and the type that AWS uses', async (context) => {
      const { destination, arrived } = await open(context);
      const id = randomUUID();
      const { delivery, documentWithEvent } = sampleFailure(id);
      await destination.deliver(delivery, noSignal());
      const key = `aws/lambda/${MAPPING_UUID}/shardId-000000000000/2026/09/17/2026-09-17T12.52.04-${id}`;
      expect(await arrived(1)).toEqual([{ text: documentWithEvent, key, contentType: 'application/octet-stream' }]);
    });

    if (traits.takesLargeObjects) {
      test('the largest event that a function gets arrives whole', async (context) => {
        const { destination, arrived } = await open(context);
        const { delivery, event } = sampleFailure(randomUUID(), JSON.stringify({ Records: [{ data: '"'.repeat(3 * 1024 * 1024) }] }));
        await destination.deliver(delivery, noSignal());
        const [document] = await arrived(1);
        expect((JSON.parse(document?.text ?? '{}') as { payload: string }).payload === event).toBe(true);
      });
    }
  } else {
    test('STR-13 STR-14 the document arrives byte for byte as AWS writes it, without records', async (context) => {
      const { destination, arrived } = await open(context);
      const { delivery, document } = sampleFailure(randomUUID());
      await destination.deliver(delivery, noSignal());
      expect(await arrived(1)).toEqual([{ text: document }]);
    });
  }

  test('each batch has a document of its own', async (context) => {
    const { destination, arrived } = await open(context);
    for (let count = 0; count < 3; count += 1) await destination.deliver(sampleFailure(randomUUID()).delivery, noSignal());
    expect(await arrived(3)).toHaveLength(3);
  });
}

function describeFaults(open: Open, traits: DestinationTraits): void {
  test('a missing place is told as such, and found once it exists', async (context) => {
    const { destination, arrived, create } = await open(context, { exists: false });
    const { delivery } = sampleFailure(randomUUID());
    const failed = destination.deliver(delivery, noSignal());
    await expect(failed).rejects.toBeInstanceOf(SourceError);
    await expect(failed).rejects.toMatchObject({ code: 'notFound' });
    await create();
    await destination.deliver(delivery, noSignal());
    expect(await arrived(1)).toHaveLength(1);
  });

  test.for([
    ['AccessDenied', 403, 'accessDenied'],
    ['ThrottlingException', 400, 'throttled'],
    ['InternalFailure', 500, 'unavailable'],
    ['NeverHeardOf', 400, 'unknown'],
  ] as const)('a delivery refused with %s (%i) is %s, nothing arrives, and the next one works', async ([code, status, fault], context) => {
    const { destination, arrived, operationOf, proxy } = await open(context);
    const { delivery } = sampleFailure(randomUUID());
    proxy.inject({ operation: operationOf(delivery), fault: { kind: 'error', code, status }, times: 1 });
    await expect(destination.deliver(delivery, noSignal())).rejects.toMatchObject({ name: 'SourceError', code: fault });
    expect(await arrived(0)).toEqual([]);
    await destination.deliver(delivery, noSignal());
    expect(await arrived(1)).toHaveLength(1);
  });

  test('a cut connection is unavailable, and the next delivery works', async (context) => {
    const { destination, arrived, operationOf, proxy } = await open(context);
    const { delivery } = sampleFailure(randomUUID());
    proxy.inject({ operation: operationOf(delivery), fault: { kind: 'reset' }, times: 1 });
    await expect(destination.deliver(delivery, noSignal())).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ECONNRESET' });
    await destination.deliver(delivery, noSignal());
    expect(await arrived(1)).toHaveLength(1);
  });

  test('nobody at the endpoint is unavailable', async (context) => {
    const closed = await startFaultProxy('http://127.0.0.1:9');
    await closed.close();
    const { destination } = await open(context, { endpoint: closed.url });
    const failed = destination.deliver(sampleFailure(randomUUID()).delivery, noSignal());
    await expect(failed).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ECONNREFUSED' });
  });

  test('a delivery whose confirmation was lost is told as failed, and made again', async (context) => {
    const { destination, arrived, operationOf, proxy } = await open(context);
    const { delivery } = sampleFailure(randomUUID());
    proxy.inject({ operation: operationOf(delivery), fault: { kind: 'lostResponse' }, times: 1 });
    await expect(destination.deliver(delivery, noSignal())).rejects.toMatchObject({ code: 'unavailable' });
    await destination.deliver(delivery, noSignal());
    // An object keeps its key, a message cannot be told from the one before.
    const count = traits.isObjectStore ? 1 : 2;
    expect(await arrived(count)).toHaveLength(count);
  });
}

function describeWaiting(open: Open): void {
  test('a place that never answers is unavailable after a while, and the next delivery works', async (context) => {
    const { destination, arrived, operationOf, proxy, clock } = await open(context);
    const { delivery } = sampleFailure(randomUUID());
    proxy.inject({ operation: operationOf(delivery), fault: { kind: 'blackHole' }, times: 1 });
    const before = proxy.count(operationOf(delivery));
    const failed = destination.deliver(delivery, noSignal());
    const isRefused = expect(failed).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'TimeoutError' });
    await proxy.arrived(operationOf(delivery), before + 1);
    await clock.advance(LONG_MS);
    await isRefused;
    await destination.deliver(delivery, noSignal());
    expect(await arrived(1)).toHaveLength(1);
  });

  test('an abort ends a delivery that nobody answers', async (context) => {
    const { destination, operationOf, proxy } = await open(context);
    const { delivery } = sampleFailure(randomUUID());
    proxy.inject({ operation: operationOf(delivery), fault: { kind: 'blackHole' }, times: 1 });
    const stop = new AbortController();
    const before = proxy.count(operationOf(delivery));
    const failed = destination.deliver(delivery, stop.signal);
    const isRefused = expect(failed).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'AbortError' });
    await proxy.arrived(operationOf(delivery), before + 1);
    stop.abort();
    await isRefused;
  });

  test('what was aborted before is not sent at all', async (context) => {
    const { destination, arrived } = await open(context);
    const failed = destination.deliver(sampleFailure(randomUUID()).delivery, AbortSignal.abort());
    await expect(failed).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'AbortError' });
    expect(await arrived(0)).toEqual([]);
  });
}
