import { setTimeout } from 'node:timers/promises';
import { startRedisServer } from '@wherry/testkit/redis-server';
import type { StreamControl } from './canned-streams.ts';
import { figure, type Figure } from './figure.ts';
import { CannedStreams, startStreamContestant, type RunningContestant, type StreamContest } from './stream-contestants.ts';

const CONTESTANTS = ['wherry', 'sdk-loop'] as const;
const ROUNDS = 3;
const SHARDS = [1, 16] as const;
const BATCHES = [100, 1_000] as const;

/** Records of a page; 1 KB of data each. The server gives as much of a shard as Kinesis does, to both. */
const FULL = { pageRecords: 1_000, dataBytes: 1_024, isPaced: true } as const;
/** More shards than one core can carry at that pace, so that records a second are what the core does. Here the baseline reads without a pace. */
const MANY_SHARDS = 32;
/** One shard brings two pages a second: it takes long until the code is compiled, and until there is something to measure. */
const WARM_UP_RECORDS: Readonly<Record<number, number>> = { 1: 20_000, 16: 80_000, [MANY_SHARDS]: 200_000 };
const MEASURED_MS: Readonly<Record<number, number>> = { 1: 8_000, 16: 4_000, [MANY_SHARDS]: 4_000 };

/** Small enough that 10,000 records fit into one event of 6 MiB. */
const LARGE_BATCHES: StreamControl = { shards: 1, pageRecords: 10_000, dataBytes: 64, isPaced: false };
const LARGE_BATCH = 10_000;
const LARGE_WARM_UP_INVOKES = 6;
const LARGE_MEASURED_INVOKES = 12;
const FILTERS = [
  '{"data":{"kind":["wanted"]}}',
  '{"data":{"amount":[{"numeric":[">",50]}]}}',
  '{"data":{"customer":{"id":[{"prefix":"c-9"}]}}}',
  '{"partitionKey":["key-1","key-2"]}',
  '{"data":{"fill":[{"exists":false}]}}',
];

const IDLE_SHARDS = 1_000;
const IDLE_WARM_UP_READS = 3 * IDLE_SHARDS;
const IDLE_MEASURED_MS = 10_000;

const MAX_CPU_RATIO = 0.9;
const MAX_GROWTH = 1.25;
const MAX_BLOCK_MS = 50;

type Samples = Map<string, number[]>;
type Take = (name: string, value: number) => void;

/**
 * Wherry's way of a Kinesis record beside a bare SDK loop, both against the same canned server: every round runs each contestant once at
 * each setting, as a fresh process, and the next round begins with the other. Then how long a batch of 10,000 records holds up the event
 * loop, and what 1,000 shards cost in which nothing happens.
 */
export async function benchStreams(): Promise<Figure[]> {
  const redis = await startRedisServer();
  const server = await CannedStreams.start();
  const samples: Samples = new Map();
  const take: Take = (name, value) => void samples.set(name, [...(samples.get(name) ?? []), value]);
  const common = { serverUrl: server.url, redisUrl: redis.url };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
      for (const shards of [...SHARDS, MANY_SHARDS]) {
        for (const batchSize of BATCHES) {
          for (let turn = 0; turn < CONTESTANTS.length; turn += 1) {
            const contestant = CONTESTANTS[(round + turn) % CONTESTANTS.length]!;
            const contest = { ...common, contestant, shards, batchSize, filters: [] };
            const isPaced = shards !== MANY_SHARDS;
            await run(contest, server, { ...FULL, shards, isPaced }, (running) => measureFull(server, running, contest, take));
          }
        }
      }
      for (const filters of [[], FILTERS]) {
        const contest = { ...common, contestant: 'wherry', shards: 1, batchSize: LARGE_BATCH, filters } as const;
        await run(contest, server, LARGE_BATCHES, (running) => measureBlock(server, running, contest, take));
      }
    }
    const contest = { ...common, contestant: 'wherry', shards: IDLE_SHARDS, batchSize: 100, filters: [] } as const;
    await run(contest, server, { ...FULL, shards: IDLE_SHARDS, pageRecords: 0 }, (running) => measureIdle(server, running, take));
  } finally {
    server.stop();
    await redis.kill();
  }
  return figures(samples);
}

async function run(
  contest: StreamContest,
  server: CannedStreams,
  control: StreamControl,
  measure: (running: RunningContestant) => Promise<void>,
): Promise<void> {
  await server.control(control);
  const running = startStreamContestant(contest);
  try {
    await Promise.race([measure(running), running.died]);
  } finally {
    await running.stop();
  }
}

/** CPU time and records a second while every page is full. */
async function measureFull(server: CannedStreams, running: RunningContestant, contest: StreamContest, take: Take): Promise<void> {
  const before = await server.until(({ records }) => records >= (WARM_UP_RECORDS[contest.shards] ?? 0));
  const cpuBefore = running.cpuSeconds();
  const beganAtMs = performance.now();
  await setTimeout(MEASURED_MS[contest.shards]);
  const after = await server.stats();
  const thousands = (after.records - before.records) / 1_000;
  const name = `${contest.contestant}.batch${contest.batchSize}.shards${contest.shards}`;
  take(`cpu.${name}`, (running.cpuSeconds() - cpuBefore) / thousands);
  take(`rate.${name}`, (thousands * 1_000_000) / (performance.now() - beganAtMs));
}

/** The longest that the event loop was held up while batches of 10,000 records went through. */
async function measureBlock(server: CannedStreams, running: RunningContestant, { filters }: StreamContest, take: Take): Promise<void> {
  const before = await server.until(({ invokes }) => invokes >= LARGE_WARM_UP_INVOKES);
  await running.longestBlockMs();
  const { largestBatch } = await server.until(({ invokes }) => invokes >= before.invokes + LARGE_MEASURED_INVOKES);
  if (filters.length === 0 && largestBatch < LARGE_BATCH) throw new Error(`batches had ${largestBatch} records, not ${LARGE_BATCH}`);
  take(filters.length === 0 ? 'block.plain' : 'block.filtered', await running.longestBlockMs());
}

/** Reads a second and CPU time while nothing comes. */
async function measureIdle(server: CannedStreams, running: RunningContestant, take: Take): Promise<void> {
  await server.until(({ reads }) => reads >= IDLE_WARM_UP_READS);
  const before = await server.stats();
  const cpuBefore = running.cpuSeconds();
  const beganAtMs = performance.now();
  await setTimeout(IDLE_MEASURED_MS);
  const after = await server.stats();
  const seconds = (performance.now() - beganAtMs) / 1_000;
  take('idle.reads', (after.reads - before.reads) / seconds);
  take('idle.cpu', ((running.cpuSeconds() - cpuBefore) / seconds) * 100);
}

function figures(samples: Samples): Figure[] {
  const of = (name: string): readonly number[] => samples.get(name) ?? [];
  const settings = BATCHES.flatMap((batch) => [...SHARDS, MANY_SHARDS].map((shards) => `batch${batch}.shards${shards}`));
  return [
    ...settings.map((setting) =>
      figure({
        name: `streams.cpu.${setting}`,
        unit: 'CPU s per 1,000',
        ours: of(`cpu.wherry.${setting}`),
        baseline: of(`cpu.sdk-loop.${setting}`),
        atMost: MAX_CPU_RATIO,
        of: 'ratio',
      }),
    ),
    ...settings.map((setting) =>
      figure({
        name: `streams.throughput.${setting}`,
        unit: 'records/s',
        ours: of(`rate.wherry.${setting}`),
        baseline: of(`rate.sdk-loop.${setting}`),
      }),
    ),
    ...BATCHES.map((batch) =>
      figure({
        name: `streams.growth.batch${batch}`,
        unit: 'CPU s per 1,000 at 16 shards, beside 1',
        ours: of(`cpu.wherry.batch${batch}.shards16`),
        baseline: of(`cpu.wherry.batch${batch}.shards1`),
        atMost: MAX_GROWTH,
        of: 'ratio',
      }),
    ),
    figure({ name: 'streams.block.batch10000', unit: 'ms', ours: of('block.plain'), atMost: MAX_BLOCK_MS }),
    figure({ name: 'streams.block.batch10000.filters5', unit: 'ms', ours: of('block.filtered'), atMost: MAX_BLOCK_MS }),
    figure({ name: 'streams.idle.shards1000.reads', unit: 'reads/s', ours: of('idle.reads') }),
    figure({ name: 'streams.idle.shards1000.cpu', unit: '% of a core', ours: of('idle.cpu') }),
  ];
}
