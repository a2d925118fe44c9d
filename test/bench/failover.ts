import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRedisServer } from '@wherry/testkit/redis-server';
import { TargetServer } from '@wherry/testkit/target-server';
import { FailoverService } from './failover-service.ts';
import { figure, type Figure } from './figure.ts';

const ROUNDS = 5;
/** One slot each, so that a queue is read by one poller at a time. */
const QUEUES = Array.from({ length: 12 }, (_, index) => `queue-${index}`);
/** Ends by SIGTERM, ends by SIGKILL, and stays. */
const POLLERS = ['leaver', 'victim', 'survivor'] as const;
/** Queues that every poller reads before a round begins, at least. */
const SHARE = 2;

/** The default of `leases.ttl`. */
const TTL_S = 10;
const MAX_TAKEOVER_S = TTL_S + 3;
const MAX_HAND_OFF_S = 2;
/** A queue that has just moved stays where it is for a minute, which is what an uneven start may have to wait for. */
const PATIENCE_MS = 120_000;

/**
 * What queues and functions notice when a poller of three goes: every round starts a fleet, ends one poller by SIGTERM, then one
 * by SIGKILL. The time of a queue ends when another poller asks it for messages; it begins at the SIGKILL, or at the end of the
 * batch that was in flight at the SIGTERM.
 */
export async function benchFailover(): Promise<Figure[]> {
  const redis = await startRedisServer();
  const target = await TargetServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  const handOffs: number[] = [];
  const takeovers: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
      const file = join(folder, `wherry-${round}.yaml`);
      writeFileSync(file, configuration(target.url, redis.url));
      await runRound(new FailoverService(target), file, handOffs, takeovers);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await Promise.all([target.close(), redis.kill()]);
  }
  return [
    figure({ name: 'failover.handOff', unit: 's', ours: handOffs }),
    figure({ name: 'failover.slowestHandOff', unit: 's', ours: [Math.max(...handOffs)], atMost: MAX_HAND_OFF_S }),
    figure({ name: 'failover.takeover', unit: 's', ours: takeovers }),
    figure({ name: 'failover.slowestTakeover', unit: 's', ours: [Math.max(...takeovers)], atMost: MAX_TAKEOVER_S }),
  ];
}

async function runRound(service: FailoverService, file: string, handOffs: number[], takeovers: number[]): Promise<void> {
  const pollers = new Map(POLLERS.map((name) => [name, startPoller(name, file)]));
  try {
    const isShared = (): boolean => POLLERS.every((name) => service.queuesReadBy(name).length >= SHARE);
    await until(
      () => QUEUES.every((queue) => service.reader(queue) !== undefined) && isShared(),
      () => {
        return `the queues were not shared (${POLLERS.map((name) => `${name} ${service.queuesReadBy(name).length}`).join(', ')})`;
      },
    );
    for (const [name, signal, seconds] of [
      ['leaver', 'SIGTERM', handOffs],
      ['victim', 'SIGKILL', takeovers],
    ] as const) {
      const left = service.queuesReadBy(name);
      const signalledAtMs = performance.now();
      pollers.get(name)?.kill(signal);
      await until(
        () => left.every((queue) => service.reader(queue) !== name),
        () => `a queue of the ${name} was not read again`,
      );
      for (const queue of left) {
        const beganAtMs = signal === 'SIGTERM' ? Math.max(signalledAtMs, service.lastInvocationEndMs(queue, name)) : signalledAtMs;
        seconds.push(Math.max(0, service.readSinceMs(queue) - beganAtMs) / 1_000);
      }
    }
  } finally {
    await Promise.all([...pollers.values()].map(end));
  }
}

function startPoller(name: string, file: string): ChildProcess {
  const main = fileURLToPath(new URL('../../apps/ctl/src/main.ts', import.meta.url));
  // The access key stands in every signature: by it the service knows who asks.
  const env = { ...process.env, AWS_ACCESS_KEY_ID: name, AWS_SECRET_ACCESS_KEY: 'bench' };
  const child = spawn(process.execPath, [main, 'poller', '--config', file], { stdio: ['ignore', 'ignore', 'inherit'], env });
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  child.once('exit', () => process.off('exit', killNow));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function until(isTrue: () => boolean, otherwise: () => string): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error(`${otherwise()} within ${PATIENCE_MS / 1_000} s`);
    await setTimeout(10);
  }
}

function configuration(serviceUrl: string, redisUrl: string): string {
  return `version: 1
fleet: { id: bench-${randomUUID()}, accountId: "000000000000", region: us-east-1 }
redis: { url: "${redisUrl}" }
aws: { region: us-east-1, endpoint: "${serviceUrl}" }
admin: { listen: "127.0.0.1:0" }
functions: { bench: { target: { lambda: { functionName: bench } }, Timeout: 5 } }
mappings:
${QUEUES.map(mappingLine).join('\n')}
`;
}

function mappingLine(queue: string): string {
  const arn = `arn:aws:sqs:us-east-1:000000000000:${queue}`;
  return `  ${queue}: { EventSourceArn: "${arn}", FunctionName: bench, ScalingConfig: { MaximumConcurrency: 1 } }`;
}
