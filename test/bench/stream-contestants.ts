import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StreamControl, StreamStats } from './canned-streams.ts';
import { cpuSeconds } from './process-cpu.ts';

/** How a contestant is run against a stream. */
export interface StreamContest {
  readonly contestant: 'wherry' | 'sdk-loop';
  readonly serverUrl: string;
  readonly redisUrl: string;
  readonly shards: number;
  readonly batchSize: number;
  /** JSON texts of event patterns. */
  readonly filters: readonly string[];
}

/** A running contestant. */
export interface RunningContestant {
  /** CPU seconds (user and system, all threads) that its process has used so far. */
  cpuSeconds(): number;
  /** Wherry: the longest that its event loop was held up since the last question, in milliseconds. */
  longestBlockMs(): Promise<number>;
  /** Rejects when the process ends before it was stopped. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

/** The canned stream as its own process. */
export class CannedStreams {
  readonly url: string;
  readonly #process: ChildProcess;

  constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#process = child;
  }

  static async start(): Promise<CannedStreams> {
    const child = spawn(process.execPath, [scriptOf('./canned-streams.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => void child.kill('SIGKILL'));
    const url = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    return new CannedStreams(url, child);
  }

  async control(settings: StreamControl): Promise<void> {
    await fetch(`${this.url}/control`, { method: 'POST', body: JSON.stringify(settings) });
  }

  async stats(): Promise<StreamStats> {
    return (await (await fetch(`${this.url}/stats`)).json()) as StreamStats;
  }

  /** Resolves with the counters as soon as they are as wanted. @throws Error when that takes over a minute */
  async until(isGood: (stats: StreamStats) => boolean): Promise<StreamStats> {
    const deadline = AbortSignal.timeout(60_000);
    for (;;) {
      const stats = await this.stats();
      if (isGood(stats)) return stats;
      if (deadline.aborted) throw new Error(`a contestant got stuck: ${JSON.stringify(stats)}`);
      await setTimeout(20);
    }
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Starts one contestant against the canned stream. */
export function startStreamContestant(contest: StreamContest): RunningContestant {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  const child = contest.contestant === 'wherry' ? spawnWherry(contest, folder) : spawnBaseline(contest);
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const gone = once(child, 'close');
  let isStopped = false;
  return {
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    longestBlockMs: async () => {
      const answered = once(child, 'message') as Promise<[{ readonly longestMs: number }]>;
      child.send('longest');
      const [{ longestMs }] = await answered;
      return longestMs;
    },
    died: gone.then(([code]) => {
      if (isStopped) return new Promise<never>(() => {});
      throw new Error(`${contest.contestant} ended by itself with ${code}`);
    }),
    stop: async () => {
      isStopped = true;
      child.kill('SIGKILL');
      await gone;
      process.off('exit', killNow);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function spawnBaseline({ serverUrl, shards, batchSize }: StreamContest): ChildProcess {
  const args = [scriptOf('./stream-baseline.ts'), serverUrl, String(shards), String(batchSize)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function spawnWherry({ serverUrl, redisUrl, shards, batchSize, filters }: StreamContest, folder: string): ChildProcess {
  const file = join(folder, 'wherry.yaml');
  const filterLines =
    filters.length === 0 ? '' : `    FilterCriteria: { Filters: ${JSON.stringify(filters.map((pattern) => ({ Pattern: pattern })))} }\n`;
  writeFileSync(
    file,
    `version: 1
fleet: { id: bench-${randomUUID()}, accountId: "000000000000", region: us-east-1 }
redis: { url: "${redisUrl}" }
aws: { region: us-east-1, endpoint: "${serverUrl}" }
admin: { listen: "127.0.0.1:0" }
limits: { shardsPerPoller: ${Math.max(100, 2 * shards)}, bufferedBytes: 512MiB }
functions: { bench: { target: { lambda: { functionName: bench } }, Timeout: 30 } }
mappings:
  bench:
    EventSourceArn: arn:aws:kinesis:us-east-1:000000000000:stream/bench
    FunctionName: bench
    StartingPosition: TRIM_HORIZON
    BatchSize: ${batchSize}
${filterLines}`,
  );
  const args = ['--import', scriptOf('./loop-meter.ts'), scriptOf('../../apps/ctl/src/main.ts'), 'poller', '--config', file];
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
  });
}

function scriptOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
