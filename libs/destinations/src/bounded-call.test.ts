import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { boundedCall, DELIVERY_TIMEOUT_MS } from './bounded-call.ts';

function bounds(signal = new AbortController().signal) {
  const sim = new SimClock();
  return { sim, options: { operation: 'SendMessage', signal, clock: sim.clock() } };
}

/** Never comes to an end, and keeps the signal that it was given. */
function endless() {
  const seen: AbortSignal[] = [];
  const call = (signal: AbortSignal): Promise<never> => {
    seen.push(signal);
    return new Promise(() => {});
  };
  return { call, seen };
}

test('what the call comes to is the result, and its signal aborts afterwards so that nothing of it stays', async () => {
  const { options } = bounds();
  const signals: AbortSignal[] = [];
  const called = boundedCall((signal) => {
    signals.push(signal);
    return Promise.resolve(7);
  }, options);
  expect(await called).toBe(7);
  expect(signals.map((signal) => signal.aborted)).toEqual([true]);
});

test('an error of the call stays what it is', async () => {
  const error = new Error('NoSuchBucket');
  await expect(boundedCall(() => Promise.reject(error), bounds().options)).rejects.toBe(error);
});

test('a call that does not end is unavailable when the time is up, and not before', async () => {
  const { sim, options } = bounds();
  const { call, seen } = endless();
  let said: unknown;
  const called = boundedCall(call, options).catch((error: unknown) => (said = error));
  await sim.advance(DELIVERY_TIMEOUT_MS - 1);
  expect([said, seen[0]?.aborted]).toEqual([undefined, false]);
  await sim.advance(1);
  await called;
  expect(said).toMatchObject({
    name: 'SourceError',
    code: 'unavailable',
    serviceCode: 'TimeoutError',
    message: 'SendMessage failed: no answer within 30 s',
  });
  expect(seen[0]?.aborted).toBe(true);
});

test('an abort ends the call at once, whether the call knows signals or not', async () => {
  const stop = new AbortController();
  const { call, seen } = endless();
  const called = boundedCall(call, bounds(stop.signal).options);
  stop.abort();
  await expect(called).rejects.toMatchObject({ name: 'SourceError', code: 'unavailable', serviceCode: 'AbortError' });
  expect(seen[0]?.aborted).toBe(true);
});

test('what was aborted before is not begun', async () => {
  const { call, seen } = endless();
  await expect(boundedCall(call, bounds(AbortSignal.abort()).options)).rejects.toMatchObject({ serviceCode: 'AbortError' });
  expect(seen).toEqual([]);
});
