import type { Coordination } from '@wherry/core/coordination';
import { Keys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisAuditStore } from './redis-audit-store.ts';
import { RedisGateStore } from './redis-gate-store.ts';
import { RedisLeaseStore } from './redis-lease-store.ts';
import { RedisMemberStore } from './redis-member-store.ts';
import { RedisPauseStore } from './redis-pause-store.ts';
import { RedisPermitStore } from './redis-permit-store.ts';
import { RedisScaleStore } from './redis-scale-store.ts';
import { RedisStreamStore } from './redis-stream-store.ts';
import { Scripts } from './scripts.ts';

/**
 * All that pollers of one fleet share, on one Redis. The client stays the caller's: it closes it.
 *
 * @param options.keyPrefix `redis.keyPrefix` of the configuration
 * @param options.fleet `fleet.id`; fleets on one Redis do not see each other
 * @param options.auditKeep entries of the audit trail that stay; 10,000 unless given
 * @throws RangeError when prefix or fleet holds a brace
 */
export function createRedisCoordination(
  client: RedisClient,
  options: { readonly keyPrefix: string; readonly fleet: string; readonly auditKeep?: number },
): Coordination {
  const keys = new Keys(options.keyPrefix, options.fleet);
  const scripts = new Scripts(client);
  return {
    leases: new RedisLeaseStore(scripts, keys),
    members: new RedisMemberStore(scripts, keys),
    permits: new RedisPermitStore(client, scripts, keys),
    gates: new RedisGateStore(client, scripts, keys),
    scale: new RedisScaleStore(scripts, keys),
    streams: new RedisStreamStore(client, scripts, keys),
    pauses: new RedisPauseStore(scripts, keys),
    audit: new RedisAuditStore(client, scripts, keys, options.auditKeep),
  };
}
