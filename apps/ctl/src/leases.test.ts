import { discoveryUnitId } from '@wherry/core/lease-unit';
import { type LeaseNote, writeLeaseNote } from '@wherry/core/stream/lease-note';
import { shardUnitId, type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import { capturedIo } from '@wherry/testkit/captured-io';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { sampleConfig, sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { collectLeases, type LeaseReport } from '@wherry/poller/lease-report';
import { renderLeases } from './lease-text.ts';
import { showLeases } from './leases.ts';

const ORDERS = sampleMapping();
const STREAM: StreamIdentity = { arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks', createdAtMs: 1_700_000_000_000 };
const TTL = 10_000;

/** A mapping whose shards are in every state there is; `ann` has what is held. */
async function setup({ isEnabled = true } = {}) {
  const sim = new SimClock();
  const coordination = createMemoryCoordination(sim.clock());
  const mapping = sampleStreamMapping({ enabled: isEnabled });
  const idOf = (shardId: string): string => shardUnitId(mapping.uuid, streamKey(STREAM), shardId);
  const { leases, streams } = coordination;
  const shards = ['over', 'read', 'stuck', 'waits', 'free', 'lost', 'damaged', 'gone'];
  await leases.create([
    { id: idOf('over'), checkpoint: '3', ended: true },
    { id: idOf('damaged'), checkpoint: 'somewhere', ended: false },
    ...['read', 'stuck', 'waits', 'free', 'gone'].map((shardId) => ({ id: idOf(shardId), checkpoint: 'TRIM_HORIZON', ended: false })),
  ]);
  await streams.change(mapping.uuid, STREAM, {
    register: shards.map((shardId) => ({ shardId, parentShardIds: shardId === 'waits' ? ['stuck', 'over'] : [] })),
    missing: [],
    nowMs: 0,
    foundAgain: [],
    retire: [],
    unregister: [],
  });
  await streams.change(mapping.uuid, STREAM, { register: [], missing: [], nowMs: 0, foundAgain: [], retire: ['gone'], unregister: [] });
  for (const id of [idOf('read'), idOf('stuck'), discoveryUnitId(mapping.uuid), `sqs-${ORDERS.uuid}-0`, `sqs-${ORDERS.uuid}-3`])
    await leases.acquire(id, 'ann', TTL);
  await leases.checkpoint(idOf('read'), 'ann', 1, '49668000000000000000000000000000000000000000000000000002', '');
  const note = (shardId: string, said: LeaseNote) => leases.note(idOf(shardId), 'ann', 1, writeLeaseNote(said));
  const config = sampleConfig({ mappings: [ORDERS, mapping] });
  const report = (): Promise<LeaseReport> => collectLeases(config, coordination, [...config.mappings.values()]);
  const states = async () => Object.fromEntries((await report()).mappings[1]!.shards.map(({ shardId, state }) => [shardId, state]));
  return { sim, coordination, config, mapping, idOf, note, report, states };
}

const stuck = (nowMs: number): LeaseNote => ({
  state: 'blocked',
  lane: 2,
  blockedSinceMs: nowMs - 250_000,
  attempts: 4,
  reason: 'functionError',
  error: "TypeError: cannot read 'plan'",
  nextAtMs: nowMs + 8_000,
});

test('each shard is in the state that the store tells', async () => {
  const { states, note, sim } = await setup();
  await note('stuck', stuck(sim.nowMs()));
  expect(await states()).toEqual({
    over: 'ended',
    read: 'reading',
    stuck: 'blocked',
    waits: 'waitingForParent',
    free: 'free',
    lost: 'lost',
    damaged: 'damaged',
    gone: 'retired',
  });
});

test('a paused mapping: what is held is being given up, the rest is paused', async () => {
  const { states, coordination, mapping } = await setup();
  await coordination.pauses.pause(mapping.uuid, 'bob@desk', 'deploy', Infinity);
  expect(await states()).toMatchObject({ read: 'draining', free: 'paused', waits: 'waitingForParent', over: 'ended' });
});

test('a disabled mapping: what nobody has is disabled', async () => {
  const { states } = await setup({ isEnabled: false });
  expect(await states()).toMatchObject({ read: 'draining', free: 'disabled' });
});

test('a lease that ran out is free, and what its owner said is forgotten', async () => {
  const { states, report, note, sim } = await setup();
  await note('stuck', stuck(sim.nowMs()));
  await sim.advance(TTL);
  expect(await states()).toMatchObject({ read: 'free', stuck: 'free' });
  const { mappings } = await report();
  expect(mappings[1]!.shards[2]).toMatchObject({ owner: null, epoch: 1, blocked: null });
});

test('a note that is no note, or of another version, harms nobody', async () => {
  const { report, coordination, idOf } = await setup();
  await coordination.leases.note(idOf('read'), 'ann', 1, 'hello');
  await coordination.leases.note(idOf('stuck'), 'ann', 1, '{"state":"blocked","blockedSinceMs":"never","nextAtMs":1e99}');
  const { mappings } = await report();
  expect(mappings[1]!.shards[1]).toMatchObject({ state: 'reading', blocked: null });
  expect(mappings[1]!.shards[2]).toMatchObject({ state: 'blocked', blocked: { since: null, nextAttemptAt: null } });
});

test('a mapping that was not looked at yet has a chore and no shards', async () => {
  const sim = new SimClock();
  const config = sampleConfig({ mappings: [sampleStreamMapping()] });
  const report = await collectLeases(config, createMemoryCoordination(sim.clock()), [...config.mappings.values()]);
  expect(report.mappings[0]).toMatchObject({ shards: [], slots: [], chores: [{ state: 'free', owner: null, epoch: 0 }] });
  expect(renderLeases(report, sim.nowMs())).toContain(' · not listed yet · listed by nobody');
});

test('names in JSON are stable: programs read them', async () => {
  const { config, coordination, note, sim, mapping, idOf } = await setup();
  await note('stuck', { ...stuck(sim.nowMs()), behindMs: 700 });
  await coordination.pauses.pause(mapping.uuid, 'bob@desk', 'deploy', 60_000);
  const io = capturedIo();
  expect(await showLeases(io, { config, coordination, file: 'wherry.yaml' }, { config: 'wherry.yaml', json: true })).toBe(0);
  const { mappings, ...fleet } = JSON.parse(io.out()) as LeaseReport;
  expect(fleet).toEqual({ fleet: 't1', pollers: [] });
  const [queue, { shards, ...stream } = { shards: [] }] = mappings;
  expect(queue).toEqual({
    name: 'orders',
    uuid: ORDERS.uuid,
    source: 'sqs',
    eventSourceArn: ORDERS.eventSourceArn,
    enabled: true,
    paused: null,
    shards: [],
    slots: [0, 1, 2, 3, 4].map((slot) => {
      const isHeld = slot === 0 || slot === 3;
      return { unit: `sqs-${ORDERS.uuid}-${slot}`, state: isHeld ? 'held' : 'free', owner: isHeld ? 'ann' : null, epoch: isHeld ? 1 : 0 };
    }),
    chores: [],
  });
  expect(stream).toEqual({
    name: 'clicks',
    uuid: mapping.uuid,
    source: 'kinesis',
    eventSourceArn: mapping.eventSourceArn,
    enabled: true,
    paused: { by: 'bob@desk', reason: 'deploy', sinceMs: 0, leftMs: 60_000 },
    slots: [],
    chores: [{ unit: `discover-${mapping.uuid}`, state: 'held', owner: 'ann', epoch: 1 }],
  });
  expect(shards[1]).toEqual({
    shardId: 'read',
    parentShardIds: [],
    unit: idOf('read'),
    state: 'draining',
    owner: 'ann',
    epoch: 1,
    checkpoint: '49668000000000000000000000000000000000000000000000000002',
    checkpointAgeMs: 0,
    blocked: null,
    behindMs: null,
    weight: 1,
  });
  expect(shards[2]).toMatchObject({
    checkpoint: 'TRIM_HORIZON',
    checkpointAgeMs: null,
    behindMs: 700,
    blocked: {
      since: new Date(sim.nowMs() - 250_000).toISOString(),
      lane: 2,
      attempts: 4,
      reason: 'functionError',
      error: "TypeError: cannot read 'plan'",
      nextAttemptAt: new Date(sim.nowMs() + 8_000).toISOString(),
    },
  });
  expect(Object.keys(shards[2]?.blocked ?? {})).toHaveLength(6);
});

test('as text', async () => {
  const { report, note, sim } = await setup();
  await note('stuck', stuck(sim.nowMs()));
  await sim.advance(2_000);
  expect(renderLeases(await report(), sim.nowMs()).split('\n')).toEqual([
    'wherry · fleet t1 · 0 pollers',
    '',
    'orders (sqs, arn:aws:sqs:us-east-1:000000000000:orders) · 2 of 5 slots held: ann 2',
    '',
    'clicks (kinesis, arn:aws:kinesis:us-east-1:000000000000:stream/clicks) · 8 shards: 1 ended, 1 reading, 1 blocked, 1 waiting for parent, 1 free, 1 lost, 1 damaged, 1 retired · listed by ann',
    '  SHARD    STATE               OWNER  EPOCH  CHECKPOINT                                                AGE',
    '  over     ended               -      0      3                                                         -',
    '  read     reading             ann    1      49668000000000000000000000000000000000000000000000000002  2.0 s',
    "  stuck    blocked             ann    1      TRIM_HORIZON                                              -      attempt 4 since 4m 12s, next in 6.0 s: functionError TypeError: cannot read 'plan'",
    '  waits    waiting for parent  -      0      TRIM_HORIZON                                              -      of stuck and over',
    '  free     free                -      0      TRIM_HORIZON                                              -',
    '  lost     lost                -      0      -                                                         -      wherry seek gives it a checkpoint again',
    '  damaged  damaged             -      0      somewhere                                                 -      wherry seek gives it a checkpoint again',
    '  gone     retired             -      0      TRIM_HORIZON                                              -',
  ]);
});

test('nothing that another process wrote can steer the terminal', async () => {
  const { report, note, coordination, mapping, sim } = await setup();
  await note('stuck', { ...stuck(sim.nowMs()), error: '\u001B[2J\u202Egone' });
  await coordination.pauses.pause(mapping.uuid, 'bob\u001B]0;x\u0007', '', Infinity);
  expect(renderLeases(await report(), sim.nowMs()).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('one mapping alone, by its name', async () => {
  const { config, coordination } = await setup();
  const io = capturedIo();
  const store = { config, coordination, file: 'wherry.yaml' };
  expect(await showLeases(io, store, { config: 'wherry.yaml', mapping: 'orders' })).toBe(0);
  expect(io.out()).not.toContain('clicks');
  await expect(showLeases(io, store, { config: 'wherry.yaml', mapping: 'order' })).rejects.toThrow('(Did you mean orders?)');
});
