import type { FaultCode } from '@wherry/core/source-error';
import type { ShardReader, StreamSource } from '@wherry/core/stream-source';
import { describeStreamSource, noSignal, readPage, readRecords } from '@wherry/testkit/contracts/stream-source';
import type { DoubleStream } from '@wherry/testkit/double-stream';
import type { KinesisDouble } from '@wherry/testkit/kinesis-double';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openFanOut, recordsOf, startDouble, textOf } from '../../test-data/fan-out.ts';

const TRIM_HORIZON = { kind: 'TRIM_HORIZON' } as const;

describeStreamSource('Enhanced fan-out over HTTP/2', { listOperation: 'ListShards', readOperation: 'SubscribeToShard' }, async () => {
  const double = await startDouble();
  return {
    proxy: double,
    close: () => double.close(),
    open: async ({ exists }) => {
      const stream = exists ? double.createStream(1) : undefined;
      return {
        source: openFanOut(stream?.arn ?? 'arn:aws:kinesis:us-east-1:000000000000:stream/missing', double.url),
        write: async (texts) => void stream?.put(recordsOf(texts)),
        textOf,
        closeShard: async () => void stream?.split(stream.shards[0]!),
      };
    },
  };
});

interface Opened {
  readonly double: KinesisDouble;
  readonly stream: DoubleStream;
  readonly source: StreamSource;
  readonly reader: ShardReader;
}

/** A reader of the first shard of a new stream. */
async function open(
  times: Parameters<typeof startDouble>[0] = {},
  position: Parameters<StreamSource['openReader']>[1] = TRIM_HORIZON,
): Promise<Opened> {
  const double = await startDouble(times);
  onTestFinished(() => double.close());
  const stream = double.createStream(1);
  const source = openFanOut(stream.arn, double.url);
  return { double, stream, source, reader: source.openReader(stream.shards[0]!.id, position) };
}

async function readTexts(reader: ShardReader, count: number): Promise<string[]> {
  return (await readRecords(reader, count)).map(textOf);
}

describe('a subscription', () => {
  test('that ends after its time is followed by the next, without a gap and without a record twice', async () => {
    const { double, stream, reader } = await open({ lifetimeMs: 300, heartbeatMs: 40 });
    const written: string[] = [];
    const seen: string[] = [];
    while (double.subscriptions.length < 4) {
      const next = [`${written.length}`, `${written.length + 1}`];
      written.push(...next);
      stream.put(recordsOf(next));
      seen.push(...(await readTexts(reader, 2)));
      // An event without records moves the place too.
      await readPage(reader, 10);
    }
    expect(seen).toEqual(written);
    const positions = double.subscriptions.map(({ startingPosition }) => startingPosition.Type);
    expect(positions).toEqual(['TRIM_HORIZON', ...Array.from({ length: positions.length - 1 }, () => 'AFTER_SEQUENCE_NUMBER')]);
  });

  test('whose connection is cut in the middle of an event goes on behind the last event that arrived', async () => {
    const { double, stream, reader } = await open();
    stream.put(recordsOf(['a', 'b']));
    const seen = await readTexts(reader, 2);
    for (const next of ['c', 'd', 'e']) {
      const newest = double.subscriptions.at(-1)!;
      newest.silence();
      stream.put(recordsOf([next]));
      newest.cut();
      seen.push(...(await readTexts(reader, 1)));
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(double.subscriptions).toHaveLength(4);
  });

  test('that falls silent is given up and made anew', async () => {
    const { double, stream, reader } = await open();
    stream.put(recordsOf(['a']));
    const seen = await readTexts(reader, 1);
    double.subscriptions[0]?.silence();
    stream.put(recordsOf(['b']));
    seen.push(...(await readTexts(reader, 1)));
    expect([seen, double.subscriptions[0]?.isOpen, double.subscriptions.length]).toEqual([['a', 'b'], false, 2]);
  });

  test.each<[string, FaultCode]>([
    ['InternalFailureException', 'unavailable'],
    ['ResourceInUseException', 'unavailable'],
    ['ResourceNotFoundException', 'notFound'],
    ['KMSThrottlingException', 'throttled'],
    ['KMSAccessDeniedException', 'accessDenied'],
    ['KMSDisabledException', 'unavailable'],
  ])('that fails with %s is told as %s, and the next read goes on behind what came', async (name, code) => {
    const { double, stream, reader } = await open();
    stream.put(recordsOf(['a']));
    const seen = await readTexts(reader, 1);
    double.subscriptions[0]?.fail(name, 'said the service');
    await expect(readPage(reader, 1)).rejects.toMatchObject({
      name: 'SourceError',
      code,
      serviceCode: name,
      message: 'SubscribeToShard failed: said the service',
    });
    stream.put(recordsOf(['b']));
    seen.push(...(await readTexts(reader, 1)));
    expect(seen).toEqual(['a', 'b']);
  });

  test.each<[string, FaultCode]>([
    ['ExpiredTokenException', 'accessDenied'],
    ['AccessDeniedException', 'accessDenied'],
    ['ThrottlingException', 'throttled'],
  ])('that fails with %s, which is in no model of its errors, is told as %s', async (name, code) => {
    const { double, stream, reader } = await open();
    stream.put(recordsOf(['a']));
    await readTexts(reader, 1);
    double.subscriptions[0]?.failUnmodelled(name, 'said the service');
    await expect(readPage(reader, 1)).rejects.toMatchObject({ code, serviceCode: name });
  });

  test('that is made too soon after the last one is tried again until it stands', async () => {
    const { double, stream, source, reader } = await open({ exclusiveMs: 150 });
    stream.put(recordsOf(['a', 'b']));
    await readTexts(reader, 2);
    reader.close?.();
    const again = source.openReader(stream.shards[0]!.id, TRIM_HORIZON);
    expect(await readTexts(again, 2)).toEqual(['a', 'b']);
    expect(double.count('SubscribeToShard')).toBeGreaterThan(2);
  });

  test('that nobody gets at all is told after a while', async () => {
    const { stream, source, reader } = await open({ exclusiveMs: 60_000 });
    await reader.read(1, noSignal());
    const other = source.openReader(stream.shards[0]!.id, TRIM_HORIZON);
    await expect(other.read(1, noSignal())).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ResourceInUseException' });
  });

  test('of another owner ends the one of the owner before', async () => {
    const { double, stream, reader } = await open();
    await reader.read(1, noSignal());
    const other = openFanOut(stream.arn, double.url).openReader(stream.shards[0]!.id, TRIM_HORIZON);
    await other.read(1, noSignal());
    const told = (async () => {
      for (;;) await readPage(reader, 1);
    })();
    await expect(told).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ResourceInUseException' });
  });

  test('at LATEST that is lost before its first event loses nothing that was written since', async () => {
    const { double, stream, reader } = await open({ heartbeatMs: 60_000 }, { kind: 'LATEST' });
    await reader.read(1, noSignal());
    const [subscription] = double.subscriptions;
    subscription?.silence();
    stream.put(recordsOf(['a', 'b']));
    subscription?.cut();
    await expect(readPage(reader, 1)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await readTexts(reader, 2)).toEqual(['a', 'b']);
    expect(double.subscriptions.map(({ startingPosition }) => startingPosition.Type)).toEqual(['LATEST', 'AT_TIMESTAMP']);
  });

  test('behind a number of an earlier stream of the same name is told as expired', async () => {
    const { double, stream, source } = await open();
    const [sequenceNumber] = stream.put(recordsOf(['a']));
    double.deleteStream(stream);
    double.createStream(1, stream.name).put(recordsOf(['b']));
    const reader = source.openReader(stream.shards[0]!.id, { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: sequenceNumber! });
    await expect(readPage(reader, 1)).rejects.toMatchObject({ code: 'expired', serviceCode: 'InvalidArgumentException' });
  });
});

describe('ending', () => {
  test('a wait that is aborted ends the subscription, and the next read goes on', async () => {
    const { double, stream, reader } = await open({ heartbeatMs: 60_000 });
    stream.put(recordsOf(['a']));
    const seen = await readTexts(reader, 1);
    const stop = new AbortController();
    const waiting = reader.wait!(stop.signal);
    stop.abort();
    await waiting;
    await expect.poll(() => double.subscriptions[0]?.isOpen).toBe(false);
    stream.put(recordsOf(['b']));
    seen.push(...(await readTexts(reader, 1)));
    expect(seen).toEqual(['a', 'b']);
    await expect(reader.read(1, stop.signal)).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'AbortError' });
  });

  test('a source that is closed ends the subscriptions of all its readers', async () => {
    const { double, stream, source, reader } = await open();
    stream.split(stream.shards[0]!);
    const others = stream.shards.slice(1).map(({ id }) => source.openReader(id, TRIM_HORIZON));
    for (const each of [reader, ...others]) await each.read(1, noSignal());
    expect(double.subscriptions).toHaveLength(3);
    source.close();
    await expect.poll(() => double.subscriptions.filter(({ isOpen }) => isOpen)).toEqual([]);
  });
});

test('a reader whose records nobody takes stops the service from sending more, and misses none', async () => {
  const { double, stream, reader } = await open({ recordsPerEvent: 100 });
  const large = 'x'.repeat(10_000);
  const all = Array.from({ length: 2_000 }, (_, i) => `${i} ${large}`);
  stream.put(recordsOf(all));
  const first = await readTexts(reader, 1);
  const sent = double.subscriptions[0]!.sent;
  expect(sent).toBeLessThan(1_000);
  expect([...first, ...(await readTexts(reader, all.length - first.length))]).toEqual(all);
});

test('LIF-02 a split and a merge: each shard ends with its children, and these hold what came after', async () => {
  const { stream, source } = await open();
  const [parent] = stream.shards;
  stream.put(recordsOf(['parent']), parent);
  const [left, right] = stream.split(parent!);
  stream.put(recordsOf(['left']), left);
  stream.put(recordsOf(['right']), right);
  const merged = stream.merge(left!, right!);
  stream.put(recordsOf(['merged']), merged);
  for (const [shard, children] of [
    [parent, [left, right]],
    [left, [merged]],
    [right, [merged]],
  ] as const) {
    const reader = source.openReader(shard!.id, TRIM_HORIZON);
    const page = await readPage(reader, 10);
    expect([page.records.map(textOf), page.isEnd, page.childShards]).toEqual([
      [shard === parent ? 'parent' : shard === left ? 'left' : 'right'],
      true,
      children.map((one) => ({ shardId: one!.id, parentShardIds: one!.parentIds, isOpen: true })),
    ]);
    // Whoever has to ask again is told the same.
    expect(await readPage(reader, 10)).toEqual({ ...page, records: [] });
  }
  expect(await readTexts(source.openReader(merged.id, TRIM_HORIZON), 1)).toEqual(['merged']);
});
