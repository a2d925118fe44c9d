import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Control, Stats } from './canned-server.ts';
import { cpuSeconds } from './process-cpu.ts';

/** Programs that forward the same queue: Wherry with both of its targets, and the two baselines. */
export type Contestant = 'wherry-lambda' | 'wherry-http' | 'sdk-loop' | 'sqs-consumer';

/** How a contestant is run. */
export interface ContestSettings {
  readonly contestant: Contestant;
  readonly serverUrl: string;
  readonly redisUrl: string;
  /** Batches in flight: the pollers of a baseline; `limits.inFlight` of Wherry, which then polls with no more slots either. */
  readonly concurrency: number;
}

/** A running contestant. */
export interface Running {
  /** CPU seconds (user and system, all threads) that its process has used so far. */
  cpuSeconds(): number;
  /** Rejects when the process ends before it was stopped. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

/** The canned server as its own process. */
export class CannedServer {
  readonly url: string;
  #process: ChildProcess;

  constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  static async start(): Promise<CannedServer> {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./canned-server.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.once('exit', () => void child.kill('SIGKILL'));
    const url = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    return new CannedServer(url, child);
  }

  async control(settings: Control): Promise<void> {
    await fetch(`${this.url}/control`, { method: 'POST', body: JSON.stringify(settings) });
  }

  async stats(): Promise<Stats> {
    return (await (await fetch(`${this.url}/stats`)).json()) as Stats;
  }

  /** Resolves with the counters as soon as they are as wanted. @throws Error when that takes over a minute */
  async until(isGood: (stats: Stats) => boolean): Promise<Stats> {
    const deadline = AbortSignal.timeout(60_000);
    for (;;) {
      const stats = await this.stats();
      if (isGood(stats)) return stats;
      if (deadline.aborted)
        throw new Error(`a contestant got stuck: ${JSON.stringify({ ...stats, latenciesMs: stats.latenciesMs.length })}`);
      await setTimeout(20);
    }
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Starts one contestant against the canned server. */
export function startContestant(settings: ContestSettings): Running {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  const child = settings.contestant.startsWith('wherry-') ? spawnWherry(settings, folder) : spawnBaseline(settings);
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const gone = once(child, 'close');
  let isStopped = false;
  return {
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    died: gone.then(([code]) => {
      if (isStopped) return new Promise<never>(() => {});
      throw new Error(`${settings.contestant} ended by itself with ${code}`);
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

function spawnBaseline({ contestant, serverUrl, concurrency }: ContestSettings): ChildProcess {
  const script = fileURLToPath(new URL('./sqs-baselines.ts', import.meta.url));
  return spawn(process.execPath, [script, contestant, serverUrl, String(concurrency)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function spawnWherry({ contestant, serverUrl, redisUrl, concurrency }: ContestSettings, folder: string): ChildProcess {
  const target = contestant === 'wherry-lambda' ? `lambda: { functionName: bench }` : `http: { url: "${serverUrl}/invoke" }`;
  const file = join(folder, 'wherry.yaml');
  writeFileSync(
    file,
    `version: 1
fleet: { id: bench-${randomUUID()}, accountId: "000000000000", region: us-east-1 }
redis: { url: "${redisUrl}" }
aws: { region: us-east-1, endpoint: "${serverUrl}" }
admin: { listen: "127.0.0.1:0" }
limits: { inFlight: ${concurrency} }
functions: { bench: { target: { ${target} }, Timeout: 30 } }
mappings:
  bench:
    EventSourceArn: arn:aws:sqs:us-east-1:000000000000:bench
    FunctionName: bench
    BatchSize: 10
`,
  );
  return spawn(process.execPath, [fileURLToPath(new URL('../../apps/ctl/src/main.ts', import.meta.url)), 'poller', '--config', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
  });
}
