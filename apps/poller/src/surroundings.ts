import { randomUUID } from 'node:crypto';
import type { Clock, Surroundings } from '@wherry/core/clock';

/** Longest delay that `setTimeout` takes; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(Math.max(0, ms), TIMER_MS_MAX));
      signal?.addEventListener('abort', end, { once: true });
    });
  },
};

/** Time, chance and identity outside tests. */
export const systemSurroundings: Surroundings = { clock: systemClock, random: Math.random, newId: randomUUID };
