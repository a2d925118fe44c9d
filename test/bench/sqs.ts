import { setTimeout } from 'node:timers/promises';
import { startRedisServer } from '@wherry/testkit/redis-server';
import type { Control, Stats } from './canned-server.ts';
import { figure, type Figure } from './figure.ts';
import { CannedServer, startContestant, type Contestant, type ContestSettings, type Running } from './sqs-contestants.ts';

const CONTESTANTS = ['wherry-lambda', 'sdk-loop', 'wherry-http', 'sqs-consumer'] as const satisfies readonly Contestant[];
const ROUNDS = 5;

/** Batches in flight while the queue is always full, and messages before and during a measurement. */
const FULL_IN_FLIGHT = 10;
const WARM_UP_MESSAGES = 6_000;
const MEASURED_MESSAGES = 8_000;

/**
 * Batches in flight while messages come at a pace, messages before that begins, how many come a second, and milliseconds before
 * and during a measurement.
 */
const PACED_IN_FLIGHT = 5;
const PACED_WARM_UP_MESSAGES = 1_500;
const RATES = [500, 1_000] as const;
const WARM_UP_MS = 400;
const MEASURED_MS = 1_200;

/** Messages that every receive brings where delete calls are counted, and how many messages are counted. */
const FILLS = [1, 3, 10] as const;
const FILL_MESSAGES = 200;

/** What a queue and a function not far away take. */
const DELAYS = { receive: 2, invoke: 20, delete: 5 } as const;
const NO_DELAYS = { receive: 0, invoke: 0, delete: 0 } as const;

const MAX_CPU_RATIO = 0.9;
const MAX_DELETE_CALLS = 125;

/** All samples of one name, by contestant, in the order of the rounds. */
type Samples = Map<string, Record<Contestant, number[]>>;

/**
 * Wherry's way of an SQS message beside a bare SDK loop and beside sqs-consumer, all against the same canned server: every
 * round runs each contestant once, each time as a fresh process, and the next round begins with another.
 */
export async function benchSqs(): Promise<Figure[]> {
  const redis = await startRedisServer();
  const server = await CannedServer.start();
  const samples: Samples = new Map();
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
      for (let turn = 0; turn < CONTESTANTS.length; turn += 1) {
        const contestant = CONTESTANTS[(round + turn) % CONTESTANTS.length]!;
        const take = (name: string, value: number): void => addSample(samples, name, contestant, value);
        const settings = { serverUrl: server.url, redisUrl: redis.url, contestant };
        await withContestant({ ...settings, concurrency: FULL_IN_FLIGHT }, server, fullQueue(10, NO_DELAYS), (running) =>
          measureFull(server, running, take),
        );
        await withContestant({ ...settings, concurrency: PACED_IN_FLIGHT }, server, fullQueue(10, DELAYS), async () => {
          await server.until((stats) => stats.deleted >= PACED_WARM_UP_MESSAGES);
          for (const rate of RATES) await measurePaced(server, rate, take);
          if (isOurs(contestant)) for (const fill of FILLS) await measureDeletes(server, fill, take);
        });
      }
    }
  } finally {
    server.stop();
    await redis.kill();
  }
  return figures(samples);
}

function fullQueue(fill: number, delays: Control['delays']): Control {
  return { mode: 'full', fill, rate: 0, delays };
}

function pacedQueue(rate: number): Control {
  return { mode: 'paced', fill: 10, rate, delays: DELAYS };
}

function addSample(samples: Samples, name: string, contestant: Contestant, value: number): void {
  const byContestant = samples.get(name) ?? { 'wherry-lambda': [], 'wherry-http': [], 'sdk-loop': [], 'sqs-consumer': [] };
  byContestant[contestant].push(value);
  samples.set(name, byContestant);
}

async function withContestant(
  settings: ContestSettings,
  server: CannedServer,
  control: Control,
  measure: (running: Running) => Promise<void>,
): Promise<void> {
  await server.control(control);
  const running = startContestant(settings);
  try {
    await Promise.race([measure(running), running.died]);
  } finally {
    await running.stop();
  }
}

function isOurs(contestant: Contestant): boolean {
  return contestant.startsWith('wherry-');
}

type Take = (name: string, value: number) => void;

/** CPU time and messages a second while every receive brings ten messages at once. */
async function measureFull(server: CannedServer, running: Running, take: Take): Promise<void> {
  const before = await server.until((stats) => stats.deleted >= WARM_UP_MESSAGES);
  const cpuBefore = running.cpuSeconds();
  const beganAtMs = performance.now();
  const after = await server.until((stats) => stats.deleted >= before.deleted + MEASURED_MESSAGES);
  const thousands = (after.deleted - before.deleted) / 1_000;
  take('cpu', (running.cpuSeconds() - cpuBefore) / thousands);
  take('rate', (thousands * 1_000_000) / (performance.now() - beganAtMs));
}

/** From the arrival of a message in the queue to the arrival of its invocation, for every message that came within the measured time. */
async function measurePaced(server: CannedServer, rate: number, take: Take): Promise<void> {
  await server.control(pacedQueue(rate));
  await setTimeout(WARM_UP_MS);
  const before = await server.stats();
  await setTimeout(MEASURED_MS);
  const after = await server.stats();
  const range = [before.latenciesMs.length, after.latenciesMs.length] as const;
  const { latenciesMs } = await server.until((stats) => stats.latenciesMs.slice(...range).every((latency) => latency !== null));
  const sorted = latenciesMs
    .slice(...range)
    .map(Number)
    .toSorted((a, b) => a - b);
  take(`p50.${rate}`, percentile(sorted, 0.5));
  take(`p99.${rate}`, percentile(sorted, 0.99));
  take(`invokes.${rate}`, ((after.invokes - before.invokes) * 1_000) / sorted.length);
  take(`deletes.${rate}`, deleteCalls(before, after));
}

/** Delete calls while every receive brings the same number of messages, few or many. */
async function measureDeletes(server: CannedServer, fill: number, take: Take): Promise<void> {
  await server.control(fullQueue(fill, DELAYS));
  const before = await server.until((stats) => stats.deleted >= FILL_MESSAGES / 2);
  const after = await server.until((stats) => stats.deleted >= before.deleted + FILL_MESSAGES);
  take(`fill.${fill}`, deleteCalls(before, after));
}

function deleteCalls(before: Stats, after: Stats): number {
  return ((after.deleteCalls - before.deleteCalls) * 1_000) / (after.deleted - before.deleted);
}

function percentile(sorted: readonly number[], part: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (value === undefined) throw new Error('no message came within the measured time');
  return value;
}

function figures(samples: Samples): Figure[] {
  const pairs = [
    ['lambda', 'wherry-lambda', 'sdk-loop'],
    ['http', 'wherry-http', 'sqs-consumer'],
  ] as const;
  return pairs.flatMap(([kind, ours, baseline]) => {
    const compare = (label: string, unit: string, sample: string, promise: { atMost?: number; of?: 'ours' | 'ratio' } = {}): Figure => {
      const found = samples.get(sample);
      if (found === undefined) throw new Error(`no samples of ${sample}`);
      const compared = found[baseline].length > 0 ? { baseline: found[baseline] } : {};
      return figure({ name: `sqs.${kind}.${label}`, unit, ours: found[ours], ...compared, ...promise });
    };
    const perThousand = 'calls per 1,000';
    const fewDeletes = { atMost: MAX_DELETE_CALLS };
    return [
      compare('cpu', 'CPU s per 1,000', 'cpu', kind === 'lambda' ? { atMost: MAX_CPU_RATIO, of: 'ratio' } : {}),
      compare('throughput', 'messages/s', 'rate'),
      ...FILLS.map((fill) => compare(`deletes.fill${fill}`, perThousand, `fill.${fill}`, fewDeletes)),
      ...RATES.flatMap((rate) => [
        compare(`p50.${rate}`, 'ms', `p50.${rate}`),
        compare(`p99.${rate}`, 'ms', `p99.${rate}`),
        compare(`invokes.${rate}`, perThousand, `invokes.${rate}`),
        compare(`deletes.${rate}`, perThousand, `deletes.${rate}`, fewDeletes),
      ]),
    ];
  });
}
