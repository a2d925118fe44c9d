import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusReport } from '@wherry/poller/status';
import type { Backend } from '@wherry/testkit/backend-process';
import { startFaultProxy, type FaultProxy } from '@wherry/testkit/fault-proxy';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TestQueues, type TestMessage, type TestQueue, type TestQueueCounts, type TestQueueOptions } from '@wherry/testkit/test-queues';
import { FunctionServer, type Handler } from './function-server.ts';
import { launcher } from './wherry-command.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const ASK_AGAIN_MS = 50;

/** Asks again until the answer is as wanted; the test's own time-out ends it. */
export async function until<T>(ask: () => T | Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (isGood(found)) return found;
    await once(AbortSignal.timeout(ASK_AGAIN_MS), 'abort');
  }
}

/** A queue with a mapping and a function of its own, all three of one name. */
export interface LaneOptions {
  readonly queue?: Omit<TestQueueOptions, 'name'>;
  /** Creates a dead-letter queue with this `maxReceiveCount`. */
  readonly maxReceiveCount?: number;
  /** Lambda's and Wherry's fields of the mapping beyond source and function. */
  readonly mapping?: Readonly<Record<string, unknown>>;
  /** Fields of the function beyond its target; `Timeout` is 1 unless given. */
  readonly function?: Readonly<Record<string, unknown>>;
  /** The function of an earlier lane, in place of one of its own. */
  readonly functionOf?: string;
  readonly handler?: Handler;
  /** Sent at once: messages that wait before the pollers start come to one receive together. */
  readonly messages?: readonly TestMessage[];
}

/** What `addLane` made. */
export interface Lane {
  readonly name: string;
  readonly queue: TestQueue;
  readonly deadLetters: TestQueue | undefined;
  /** Ids of the messages that were sent with it, in their order. */
  readonly ids: readonly string[];
}

/** What a fleet stands on. */
export interface TestFleetOptions {
  /** The SQS endpoint; a fauxqs of its own unless given. It is stopped with the fleet. */
  readonly backend?: Backend;
  /** Puts a fault proxy between the pollers and SQS (the test's own calls go past it). */
  readonly proxied?: boolean;
  /** Further top-level keys of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** One poller process. */
export interface TestPoller {
  readonly child: ChildProcess;
  readonly adminUrl: string;
  /** What it logged so far. */
  readonly lines: () => Record<string, unknown>[];
  readonly status: () => Promise<StatusReport>;
  /** The sum of all series of a counter or gauge that carry these labels; 0 while there is none. */
  readonly metric: (name: string, labels: Readonly<Record<string, string>>) => Promise<number>;
  readonly reload: () => Promise<unknown>;
  /** Resolves to exit code and signal. */
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

/** Real pollers on a real Redis, an SQS emulator and HTTP functions, all of one test file. */
export class TestFleet {
  readonly redis: RedisServer;
  readonly queues: TestQueues;
  readonly functions: FunctionServer;
  readonly pollers: TestPoller[] = [];
  readonly configFile: string;
  readonly #backend: Backend;
  readonly #proxy: FaultProxy | undefined;
  readonly #folder: string;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #functionEntries: Record<string, Record<string, unknown>> = {};
  readonly #mappingEntries: Record<string, Record<string, unknown>> = {};

  constructor(parts: {
    redis: RedisServer;
    backend: Backend;
    proxy: FaultProxy | undefined;
    functions: FunctionServer;
    folder: string;
    config: Readonly<Record<string, unknown>>;
  }) {
    this.redis = parts.redis;
    this.functions = parts.functions;
    this.queues = new TestQueues(parts.backend.url);
    this.configFile = join(parts.folder, 'wherry.yaml');
    this.#backend = parts.backend;
    this.#proxy = parts.proxy;
    this.#folder = parts.folder;
    this.#config = parts.config;
  }

  /** Starts everything but pollers. */
  static async open(options: TestFleetOptions = {}): Promise<TestFleet> {
    const [folder, redis, backend, functions] = await Promise.all([
      mkdtemp(join(tmpdir(), 'wherry-fleet-')),
      startRedisServer(),
      options.backend ?? startFauxqs(),
      FunctionServer.start(),
    ]);
    const proxy = options.proxied === true ? await startFaultProxy(backend.url) : undefined;
    return new TestFleet({ redis, backend, proxy, functions, folder, config: options.config ?? {} });
  }

  /** SQS itself, past the fault proxy. */
  get backendUrl(): string {
    return this.#backend.url;
  }

  /** The proxy in front of SQS, of a fleet that was opened with one. */
  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error('this fleet was opened without a fault proxy');
    return this.#proxy;
  }

  /** Creates a queue and puts a mapping and a function for it into the configuration, which takes effect at `start` or `reload`. */
  async addLane(name: string, options: LaneOptions = {}): Promise<Lane> {
    const base: TestQueueOptions = { visibilityTimeoutSeconds: 30, ...options.queue };
    const fifo = base.fifo === true;
    const deadLetters = options.maxReceiveCount === undefined ? undefined : await this.queues.create({ name: `${name}-dlq`, fifo });
    const redrive =
      deadLetters === undefined ? {} : { redrive: { deadLetterQueue: deadLetters, maxReceiveCount: options.maxReceiveCount ?? 1 } };
    const queue = await this.queues.create({ ...base, ...redrive, name });
    const functionName = options.functionOf ?? name;
    if (options.functionOf === undefined) {
      this.#functionEntries[name] = { target: { http: { url: `${this.functions.url}/${name}` } }, Timeout: 1, ...options.function };
    }
    // Short polls, because a drain lets the running ones return.
    this.#mappingEntries[name] = { EventSourceArn: queue.arn, FunctionName: functionName, sqs: { waitTime: '2s' }, ...options.mapping };
    if (options.handler !== undefined) this.functions.handle(name, options.handler);
    return { name, queue, deadLetters, ids: await this.queues.send(queue, options.messages ?? []) };
  }

  /** Changes fields of a mapping in the configuration; takes effect at `reload`. */
  changeMapping(name: string, changes: Readonly<Record<string, unknown>>): void {
    this.#mappingEntries[name] = { ...this.#mappingEntries[name], ...changes };
  }

  /** Takes a mapping out of the configuration; takes effect at `reload`. */
  removeMapping(name: string): void {
    delete this.#mappingEntries[name];
  }

  /** Starts pollers and waits until all are ready. */
  async start(count = 1): Promise<TestPoller[]> {
    await this.#writeConfig();
    const started = await Promise.all(Array.from({ length: count }, () => spawnPoller(this.configFile)));
    this.pollers.push(...started);
    await Promise.all(
      started.map(({ adminUrl }) =>
        until(
          () => fetch(`${adminUrl}/readyz`).then((response) => response.status),
          (status) => status === 200,
        ),
      ),
    );
    return started;
  }

  /** Writes the configuration and has every running poller load it. */
  async reload(): Promise<void> {
    await this.#writeConfig();
    await Promise.all(this.#running().map((poller) => poller.reload()));
  }

  /** A counter or gauge of one mapping, over all running pollers. */
  async metric(name: string, mapping: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const values = await Promise.all(this.#running().map((poller) => poller.metric(name, { mapping, ...labels })));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Waits until a queue is as wanted. */
  counts(queue: TestQueue, isGood: (counts: TestQueueCounts) => boolean): Promise<TestQueueCounts> {
    return until(() => this.queues.count(queue), isGood);
  }

  /** Waits until a queue holds nothing, visible or in flight. */
  async emptied(queue: TestQueue): Promise<void> {
    await this.counts(queue, ({ visible, notVisible }) => visible + notVisible === 0);
  }

  /** Drains all pollers, ends everything. @returns the exit codes of the pollers that still ran, 0 for a clean drain */
  async close(): Promise<(number | null)[]> {
    this.#proxy?.clear();
    const running = this.#running();
    for (const { child } of running) child.kill('SIGTERM');
    const codes = await Promise.all(running.map(async ({ exited }) => (await exited)[0]));
    await Promise.all([this.redis.kill(), this.#proxy?.close(), this.#backend.stop(), this.functions.close()]);
    await rm(this.#folder, { recursive: true, force: true });
    return codes;
  }

  #running(): TestPoller[] {
    return this.pollers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
  }

  /** JSON is YAML. */
  async #writeConfig(): Promise<void> {
    const config = {
      version: 1,
      fleet: { id: 't1', accountId: '000000000000', region: 'us-east-1' },
      redis: { url: this.redis.url },
      aws: { region: 'us-east-1', endpoint: this.#proxy?.url ?? this.#backend.url },
      admin: { listen: '127.0.0.1:0' },
      functions: this.#functionEntries,
      mappings: this.#mappingEntries,
      ...this.#config,
    };
    await writeFile(this.configFile, JSON.stringify(config, null, 2));
  }
}

/**
 * Starts one poller and waits for the line that names its admin listener. It dies with the test process at the latest.
 *
 * @param env further variables of its environment, which the configuration may name
 */
export async function spawnPoller(configFile: string, env: Readonly<Record<string, string>> = {}): Promise<TestPoller> {
  const child = spawn(process.execPath, [launcher, 'poller', '--config', configFile], {
    env: { ...process.env, ...CREDENTIALS, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const endNow = (): void => void child.kill('SIGKILL');
  process.once('exit', endNow);
  const exited = once(child, 'exit').then((args) => {
    process.off('exit', endNow);
    return args as [number | null, NodeJS.Signals | null];
  });
  let output = '';
  let isListening = false;
  const lines = () =>
    output
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const adminUrl = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the poller exited with ${code}:\n${output}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (isListening) return;
      const listening = lines().find((line) => line['msg'] === 'listening' && line['listener'] === 'admin');
      if (typeof listening?.['url'] !== 'string') return;
      isListening = true;
      resolve(listening['url']);
    });
  });
  return {
    child,
    adminUrl,
    lines,
    exited,
    status: async () => (await (await fetch(`${adminUrl}/v1/status`)).json()) as StatusReport,
    metric: async (name, labels) => readMetric(await (await fetch(`${adminUrl}/metrics`)).text(), name, labels),
    reload: async () => await (await fetch(`${adminUrl}/-/reload`, { method: 'POST' })).json(),
  };
}

function readMetric(text: string, name: string, wanted: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, found, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found !== name) continue;
    const have = new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1], match[2]]));
    if (Object.entries(wanted).every(([label, expected]) => have.get(label) === expected)) sum += Number(value);
  }
  return sum;
}
