import type { LeaseRow } from '@wherry/core/coordination';
import { SourceError } from '@wherry/core/source-error';
import { shardUnitId, type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import type { ShardPosition, StreamRecord, StreamShard, StreamSource } from '@wherry/core/stream-source';
import { capturedIo } from '@wherry/testkit/captured-io';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { sampleConfig, sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { runProgram } from './program.ts';
import { seekMapping, type SeekOptions } from './seek.ts';

const CLICKS = sampleStreamMapping();
const STREAM: StreamIdentity = { arn: CLICKS.eventSourceArn, createdAtMs: 1_700_000_000_000 };
const idOf = (shardId: string): string => shardUnitId(CLICKS.uuid, streamKey(STREAM), shardId);
const LISTED: readonly StreamShard[] = [
  { shardId: 'root', parentShardIds: [], isOpen: false },
  { shardId: 'left', parentShardIds: ['root'], isOpen: true },
  { shardId: 'right', parentShardIds: ['root'], isOpen: true },
];
const ROWS: readonly LeaseRow[] = [
  { id: idOf('root'), checkpoint: '3', ended: true },
  { id: idOf('left'), checkpoint: '17', ended: false },
  { id: idOf('right'), checkpoint: 'TRIM_HORIZON', ended: false },
];

/** A stream that shows these shards, and one record in each. */
class ShownStream implements StreamSource {
  shards = LISTED;
  fault: SourceError | undefined;
  isClosed = false;
  readonly opened: ShardPosition[] = [];

  identity(): Promise<StreamIdentity> {
    return this.fault === undefined ? Promise.resolve(STREAM) : Promise.reject(this.fault);
  }
  listShards(): Promise<StreamShard[]> {
    return Promise.resolve([...this.shards]);
  }
  openReader(shardId: string, position: ShardPosition) {
    this.opened.push(position);
    const record = { sequenceNumber: '12', arrivedAtMs: 1_700_000_001_000 } as StreamRecord;
    const isKnown = 'sequenceNumber' in position && position.sequenceNumber.length < 5;
    const refusal = new SourceError('expired', 'InvalidArgumentException', `not of shard ${shardId}`);
    return { read: () => (isKnown ? Promise.resolve({ records: [record], isEnd: false }) : Promise.reject(refusal)) };
  }
  close(): void {
    this.isClosed = true;
  }
}

async function setup({ isRunning = true, source = 'kinesis' }: { isRunning?: boolean; source?: 'kinesis' | 'dynamodb' } = {}) {
  const sim = new SimClock();
  const coordination = createMemoryCoordination(sim.clock());
  const stream = new ShownStream();
  const config = sampleConfig({ mappings: [sampleMapping(), { ...CLICKS, source }] });
  if (isRunning) {
    await coordination.leases.create(ROWS);
    const register = LISTED.map(({ shardId, parentShardIds }) => ({ shardId, parentShardIds }));
    const nothing = { missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] };
    await coordination.streams.change(CLICKS.uuid, STREAM, { ...nothing, register });
  }
  const store = { config, coordination, file: 'wherry.yaml' };
  const surroundings = { store, openStream: () => stream, nowMs: () => sim.nowMs() };
  const rows = async () => {
    const views = await coordination.leases.view(['root', 'left', 'right', 'new'].map(idOf));
    return views.map(({ checkpoint, ended }) => (ended ? 'ended' : checkpoint));
  };
  return { sim, coordination, stream, surroundings, rows, io: capturedIo() };
}

const options = (to: string, given: Partial<SeekOptions> = {}): SeekOptions => ({
  config: 'c',
  mapping: 'clicks',
  to,
  yes: true,
  ...given,
});
const no = () => Promise.resolve(false);
const yes = () => Promise.resolve(true);

test('to the oldest record: what was read to its end comes back, and the audit trail has where everything stood', async () => {
  const { io, surroundings, rows, coordination, stream } = await setup();
  expect(await seekMapping(io, surroundings, options('TRIM_HORIZON'))).toBe(0);
  expect(await rows()).toEqual(['TRIM_HORIZON', 'TRIM_HORIZON', 'TRIM_HORIZON', undefined]);
  expect(io.out()).toBe(
    'clicks goes to the oldest record (TRIM_HORIZON): 3 shards move, 1 of them had been read to the end and comes back, 0 stay, 1 can then be read at once, 2 after their parents\n',
  );
  expect(stream.isClosed).toBe(true);
  expect(await coordination.audit.newest(9)).toMatchObject([
    {
      eventName: 'CheckpointReset',
      userIdentity: expect.stringMatching(/^.+@.+$/),
      requestParameters: { mapping: 'clicks', uuid: CLICKS.uuid, to: 'TRIM_HORIZON' },
      responseElements: {
        shards: 3,
        moved: [
          { shardId: 'root', before: 'ended', after: 'TRIM_HORIZON' },
          { shardId: 'left', before: '17', after: 'TRIM_HORIZON' },
          { shardId: 'right', before: 'TRIM_HORIZON', after: 'TRIM_HORIZON' },
        ],
      },
      errorCode: null,
    },
  ]);
});

test('while the fleet runs: owners are put out, and nothing that they still write counts', async () => {
  const { io, surroundings, rows, coordination } = await setup();
  await coordination.leases.acquire(idOf('left'), 'ann', 10_000);
  await seekMapping(io, surroundings, options('LATEST'));
  expect(await coordination.leases.renew('ann', [{ id: idOf('left'), epoch: 1 }], 10_000)).toEqual(['lost']);
  expect(await coordination.leases.checkpoint(idOf('left'), 'ann', 1, '18', '')).toBe('fenced');
  expect(await coordination.leases.end(idOf('left'), 'ann', 1)).toBe('fenced');
  expect((await rows())[1]).toMatch(/^AT_TIMESTAMP:/);
});

test('to the latest record: shards that discovery has not found yet do not begin at their oldest record afterwards', async () => {
  const { io, surroundings, rows, stream, sim } = await setup();
  stream.shards = [...LISTED, { shardId: 'new', parentShardIds: [], isOpen: true }];
  await seekMapping(io, surroundings, options('LATEST'));
  const now = `AT_TIMESTAMP:${sim.nowMs()}`;
  expect(await rows()).toEqual(['ended', now, now, now]);
});

test('LATEST on a table says what the stream cannot tell', async () => {
  const { io, surroundings, rows, sim } = await setup({ source: 'dynamodb' });
  await seekMapping(io, surroundings, options('LATEST'));
  expect((await rows())[1]).toBe(`AT_TIMESTAMP:${sim.nowMs()}`);
  expect(io.out()).toContain('\nrecords of the last minute may still be delivered');
});

test('a mapping that never ran is sent before it begins', async () => {
  const { io, surroundings, rows } = await setup({ isRunning: false });
  expect(await seekMapping(io, surroundings, options('2023-11-14T00:00:00Z'))).toBe(0);
  expect(await rows()).toEqual([...Array<string>(3).fill('AT_TIMESTAMP:1699920000000'), undefined]);
});

test('to one record: its shard alone goes there, and it is looked up before', async () => {
  const { io, surroundings, rows, stream } = await setup();
  expect(await seekMapping(io, surroundings, options('root:12'))).toBe(0);
  expect(await rows()).toEqual(['AT_SEQUENCE_NUMBER:12', '17', 'TRIM_HORIZON', undefined]);
  expect(stream.opened).toEqual([{ kind: 'AT_SEQUENCE_NUMBER', sequenceNumber: '12' }]);
  expect(io.out()).toContain('goes to the record 12, which is delivered again: 1 shard moves');
  expect(io.out()).toContain('2 after their parents\nit arrived at 2023-11-14T22:13:21.000Z\n');
});

test('a record that is gone is named with the first that is there', async () => {
  const { io, surroundings } = await setup();
  await seekMapping(io, surroundings, options('root:11'));
  expect(io.out()).toContain('the first record from there on is 12; it arrived at');
});

test('it says what will happen to each shard and asks; a no changes nothing', async () => {
  const { io, surroundings, rows, coordination, sim } = await setup();
  await coordination.pauses.pause(CLICKS.uuid, 'bob@desk', 'look', Infinity);
  expect(await seekMapping(io, surroundings, options('LATEST', { yes: false }), no)).toBe(1);
  const now = new Date(sim.nowMs()).toISOString();
  expect(io.err().split('\n')).toEqual([
    `seek clicks (kinesis, ${CLICKS.eventSourceArn}) to what comes from now on (LATEST, ${now}):`,
    `  left   17            ->  ${now}`,
    `  right  TRIM_HORIZON  ->  ${now}`,
    '2 shards move, 1 stays, 2 can then be read at once',
    'what was not processed yet is skipped, and no failure destination gets it',
    'nothing is read before it is resumed: clicks: paused by bob@desk 0 ms ago: look',
    'nothing was changed',
    '',
  ]);
  expect(await rows()).toEqual(['ended', '17', 'TRIM_HORIZON', undefined]);
  expect(await coordination.audit.newest(9)).toEqual([]);
});

test('after the answer the stream is listed again: what came meanwhile moves too, from the time of the answer', async () => {
  const { io, surroundings, rows, stream, sim } = await setup();
  const slowly = async (): Promise<boolean> => {
    await sim.advance(300_000);
    stream.shards = [...LISTED, { shardId: 'new', parentShardIds: [], isOpen: true }];
    return yes();
  };
  await seekMapping(io, surroundings, options('LATEST', { yes: false }), slowly);
  const now = `AT_TIMESTAMP:${sim.nowMs()}`;
  expect(await rows()).toEqual(['ended', now, now, now]);
});

test('of very many shards a person sees the first, and JSON has all of them', async () => {
  const { io, surroundings, stream, coordination } = await setup({ isRunning: false });
  stream.shards = Array.from({ length: 500 }, (_, i) => ({ shardId: `shardId-${i}`, parentShardIds: [], isOpen: true }));
  await seekMapping(io, surroundings, options('TRIM_HORIZON', { yes: false, json: true }), yes);
  expect(io.err()).toContain('shardId-19 ');
  expect(io.err()).not.toContain('shardId-20 ');
  expect(io.err()).toContain('  and 480 more (--json names all of them)\n500 shards move');
  const told = JSON.parse(io.out()) as { moved: unknown[] };
  expect(told).toMatchObject({ mapping: 'clicks', uuid: CLICKS.uuid, to: 'TRIM_HORIZON', staying: 0, readable: 500, waiting: 0 });
  expect(told.moved).toHaveLength(500);
  expect(told.moved[0]).toEqual({ shardId: 'shardId-0', from: null, to: 'TRIM_HORIZON' });
  const [entry] = await coordination.audit.newest(1);
  expect(entry?.responseElements).toMatchObject({ shards: 500, moved: { length: 200 } });
});

test('nothing to move is said, and nobody is asked', async () => {
  const { io, surroundings, stream, coordination } = await setup({ isRunning: false });
  stream.shards = [];
  expect(await seekMapping(io, surroundings, options('TRIM_HORIZON', { yes: false }), no)).toBe(0);
  expect(io.out()).toBe('clicks: no shard has to move\n');
  expect(await coordination.audit.newest(9)).toEqual([]);
});

test('a stream that cannot be listed is an error with what to do, and nothing moves', async () => {
  const { io, surroundings, rows, stream } = await setup();
  stream.fault = new SourceError('accessDenied', 'AccessDeniedException', 'no');
  expect(await seekMapping(io, surroundings, options('LATEST'))).toBe(1);
  expect(io.err()).toMatch(
    /^error: clicks: the stream may not be read \(AccessDeniedException: no\); the credentials found here need kinesis:/,
  );
  expect(await rows()).toEqual(['ended', '17', 'TRIM_HORIZON', undefined]);
  expect(stream.isClosed).toBe(true);
});

test.each([
  ['yesterday', 'kinesis', /--to yesterday: expected LATEST, TRIM_HORIZON, a time \(ISO 8601 with its zone/],
  ['latest', 'kinesis', /--to latest: expected LATEST/],
  ['2026-11-22T10:00', 'kinesis', /expected LATEST, TRIM_HORIZON, a time \(ISO 8601 with its zone/],
  ['2199-01-01T00:00:00Z', 'kinesis', /that time is in the future; LATEST begins with what comes from now on/],
  ['2023-11-14T00:00:00Z', 'dynamodb', /a DynamoDB stream has no positions by time; expected LATEST, TRIM_HORIZON or SHARD:SEQUENCE/],
  ['1699920000', 'dynamodb', /a DynamoDB stream has no positions by time/],
  ['gone:12', 'kinesis', /the stream of clicks has no shard gone; it has root, left, right/],
  ['root:123456', 'kinesis', /shard root has no record 123456, or has it no longer \(InvalidArgumentException: not of shard root\)/],
] as const)('%s on %s is bad usage, and nothing moves', async (to, source, message) => {
  const { io, surroundings, rows } = await setup({ source });
  await expect(seekMapping(io, surroundings, options(to))).rejects.toThrow(message);
  expect(await rows()).toEqual(['ended', '17', 'TRIM_HORIZON', undefined]);
});

test('seconds since 1970 are a time', async () => {
  const { io, surroundings, rows } = await setup();
  await seekMapping(io, surroundings, options('1699920000'));
  expect((await rows())[0]).toBe('AT_TIMESTAMP:1699920000000');
});

test('a queue has no positions', async () => {
  const { io, surroundings } = await setup();
  const moved = seekMapping(io, surroundings, { ...options('LATEST'), mapping: 'orders' });
  await expect(moved).rejects.toThrow('orders reads a queue, which has no positions; seek moves streams');
});

test('without a terminal and without --yes it is bad usage, before anything is read', async () => {
  const io = capturedIo();
  expect(await runProgram(['seek', 'clicks', '--to', 'LATEST', '--config', 'nowhere.yaml'], io)).toBe(2);
  expect(io.err()).toBe('error: seek asks before it changes anything, and there is no terminal to ask on: add --yes\n');
  expect(await runProgram(['seek', 'clicks', '--yes', '--config', 'nowhere.yaml'], capturedIo())).toBe(2);
});
