import { setTimeout as wait } from 'node:timers/promises';

const askAgainMs = 100;

/** Asks every 100 ms until the answer is yes. @throws Error naming what was waited for */
export async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = AbortSignal.timeout(timeoutMs);
  while (!(await condition())) {
    if (deadline.aborted) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await wait(askAgainMs);
  }
}
