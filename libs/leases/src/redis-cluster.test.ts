import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { useEveryStore } from '@wherry/testkit/contracts/every-store';
import { startRedisServer } from '@wherry/testkit/redis-server';
import { Redis } from 'ioredis';
import { it, onTestFinished } from 'vitest';
import { createRedis } from './redis-client.ts';
import { createRedisCoordination } from './redis-coordination.ts';
import { createRedisFailedStore } from './redis-failed-store.ts';

// A node in cluster mode refuses any script that touches two slots, even when it owns all of them.
it('does everything in a Redis Cluster, where keys of one script must share a slot', { timeout: 20_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-test-'));
  const node = await startRedisServer({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--dir', folder] });
  const raw = new Redis(node.url);
  // Runs after a timeout too, which a `finally` would not.
  onTestFinished(async () => {
    raw.disconnect();
    await node.kill();
    await rm(folder, { recursive: true, force: true });
  });
  // A fresh node waits two seconds before it calls the cluster up.
  await raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  while (!String(await raw.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await setTimeout(20);
  const up = Promise.withResolvers<void>();
  const client = createRedis(
    { cluster: [`127.0.0.1:${node.port}`], keyPrefix: 'wherry' },
    { random: Math.random, onUp: up.resolve, onDown: () => {} },
  );
  onTestFinished(() => client.disconnect());
  await up.promise;
  const options = { keyPrefix: 'wherry', fleet: 'c' };
  await useEveryStore(createRedisCoordination(client, options), createRedisFailedStore(client, options));
});
