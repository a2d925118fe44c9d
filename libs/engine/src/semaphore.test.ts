import { describe, expect, it } from 'vitest';
import { SimClock } from '@wherry/testkit/sim-clock';
import { Semaphore } from './semaphore.ts';

function setup(limit: number) {
  const sim = new SimClock();
  const stop = new AbortController();
  const semaphore = new Semaphore(limit);
  const patience = (ms = Number.POSITIVE_INFINITY) => ({ clock: sim.clock(), untilMs: sim.nowMs() + ms, signal: stop.signal });
  return { sim, stop, semaphore, patience };
}

describe('a semaphore', () => {
  it('admits in the order of arrival, and nobody overtakes', async () => {
    const { sim, semaphore, patience } = setup(1);
    const order: number[] = [];
    semaphore.tryAcquire();
    for (const number of [1, 2, 3]) void semaphore.acquire(patience()).then(() => order.push(number));
    expect(semaphore.tryAcquire()).toBe(false);
    for (let turn = 0; turn < 3; turn += 1) {
      semaphore.release();
      await sim.advance(0);
    }
    expect(order).toEqual([1, 2, 3]);
    expect(semaphore.inUse).toBe(1);
  });

  it('gives up with time or signal, but takes a free place even then', async () => {
    const { sim, stop, semaphore, patience } = setup(1);
    expect(await semaphore.acquire(patience())).toBe(true);
    const late = semaphore.acquire(patience(1_000));
    await sim.advance(1_000);
    expect(await late).toBe(false);
    const stopped = semaphore.acquire(patience());
    stop.abort();
    expect(await stopped).toBe(false);
    semaphore.release();
    expect(await semaphore.acquire(patience())).toBe(true);
    expect(semaphore.inUse).toBe(1);
  });

  it('follows its limit up and down', async () => {
    const { sim, semaphore, patience } = setup(1);
    semaphore.tryAcquire();
    const second = semaphore.acquire(patience());
    semaphore.resize(2);
    await sim.advance(0);
    expect(await second).toBe(true);
    semaphore.resize(1);
    semaphore.release();
    expect(semaphore.tryAcquire()).toBe(false);
  });
});
