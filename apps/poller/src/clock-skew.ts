import type { Clock } from '@wherry/core/clock';
import type { Logger } from 'pino';

/** Above this, ages and timestamps in logs of different pollers no longer fit together. */
const SKEW_MS_MAX = 5_000;

/**
 * Compares this machine's clock with Redis's and warns once when they part by more than 5 s, and once when they are together again.
 * Only a warning: leases are measured on Redis's clock and on the local monotonic one, never on wall time of two machines.
 */
export class ClockSkew {
  readonly #clock: Clock;
  readonly #redisNowMs: () => Promise<number>;
  readonly #logger: Logger;
  #isSkewed = false;

  /** @param redisNowMs Redis's `TIME` in epoch milliseconds; may reject while Redis is away */
  constructor(clock: Clock, redisNowMs: () => Promise<number>, logger: Logger) {
    this.#clock = clock;
    this.#redisNowMs = redisNowMs;
    this.#logger = logger;
  }

  async check(): Promise<void> {
    const beforeMs = this.#clock.nowMs();
    let redisMs: number;
    try {
      redisMs = await this.#redisNowMs();
    } catch {
      return; // Redis is away; others say so, and the next check comes.
    }
    // The answer was made somewhere between asking and hearing.
    const afterMs = this.#clock.nowMs();
    const localMs = (beforeMs + afterMs) / 2;
    const skewMs = Math.round(localMs - redisMs);
    const isSkewed = Math.abs(skewMs) - (afterMs - beforeMs) / 2 > SKEW_MS_MAX;
    if (isSkewed === this.#isSkewed) return;
    this.#isSkewed = isSkewed;
    const fields = { skewMs, localTime: new Date(localMs).toISOString(), redisTime: new Date(redisMs).toISOString() };
    if (isSkewed) this.#logger.warn(fields, 'clock differed from the clock of redis');
    else this.#logger.info(fields, 'clock agreed with the clock of redis again');
  }
}
