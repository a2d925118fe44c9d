import { Redis } from 'ioredis';

/** The fleet of one run of the demo, so that two runs on one Redis stay apart. */
export const ownFleet = `demo-${process.pid}-${Date.now().toString(36)}`;

/** Removes every key of the fleet from a Redis that the demo was given; one that it started itself is gone with it. */
export async function forgetOwnFleet(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  // Without a listener it would print what the caller is told anyway.
  redis.on('error', () => {});
  try {
    await redis.connect();
    for await (const keys of redis.scanStream({ match: `{wherry:${ownFleet}:*`, count: 500 })) {
      for (const key of keys as string[]) await redis.unlink(key);
    }
  } finally {
    redis.disconnect();
  }
}
