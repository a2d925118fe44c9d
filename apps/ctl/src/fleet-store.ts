import { formatProblems } from '@wherry/config/format';
import { loadConfig } from '@wherry/config/load';
import { type Coordination, StoreError } from '@wherry/core/coordination';
import type { WherryConfig } from '@wherry/core/mapping';
import { createRedis, type RedisClient } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import { ExitCode, type Io } from './io.ts';

/** What a command that looks at the fleet's shared state, or changes it, works with. */
export interface FleetStore {
  readonly config: WherryConfig;
  /** Name of the configuration, for messages. */
  readonly file: string;
  readonly coordination: Coordination;
  /** For stores beyond `coordination`. */
  readonly redis: RedisClient;
}

/**
 * Runs a command on the fleet's Redis and closes the connection.
 *
 * @returns 1 with the reason on standard error where the configuration is refused or Redis cannot be asked; else what `work` returns
 */
export async function withFleetStore(io: Io, file: string, work: (store: FleetStore) => Promise<number>): Promise<number> {
  const result = await loadConfig({ file, env: io.env });
  if (!result.ok) {
    io.stderr.write(`${formatProblems(result.problems, 'text', file)}\n`);
    return ExitCode.failed;
  }
  const { config } = result;
  const state = Promise.withResolvers<void>();
  const redis = createRedis(config.redis, {
    random: Math.random,
    onUp: state.resolve,
    onDown: (reason) => state.reject(new StoreError(reason)),
    connectionName: 'wherry-ctl',
  });
  try {
    await state.promise;
    const place = { keyPrefix: config.redis.keyPrefix, fleet: config.fleet.id };
    const coordination = createRedisCoordination(redis, { ...place, auditKeep: config.audit.keep });
    return await work({ config, file, coordination, redis });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.stderr.write(`error: Redis cannot be used (${error.message}): start it, or correct address, password and TLS settings of ${file}\n`);
    return ExitCode.failed;
  } finally {
    redis.disconnect();
  }
}
