import type { Clock } from '@wherry/core/clock';
import { SourceError } from '@wherry/core/source-error';

/**
 * Longest wait for one delivery to be confirmed, in milliseconds, the client's own retries, the look-up of a queue and the fetching of
 * credentials included. Inferred: AWS documents none. Whoever delivers tries again after it, for as long as it takes.
 */
export const DELIVERY_TIMEOUT_MS = 30_000;

/**
 * What `call` comes to, or a `SourceError` as soon as the signal aborts or the time is up. `call` gets a signal that then aborts too, but
 * is not waited for: what it stands in, such as the loading of the SDK, may know no signals.
 */
export async function boundedCall<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { operation, signal, clock }: { readonly operation: string; readonly signal: AbortSignal; readonly clock: Clock },
): Promise<T> {
  const stop = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(new SourceError('unavailable', 'AbortError', `${operation} failed: Request aborted`));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const called = signal.aborted ? aborted.promise : call(stop.signal);
    return await Promise.race([called, aborted.promise, timeUp(operation, clock, stop.signal)]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop.abort();
  }
}

async function timeUp(operation: string, clock: Clock, over: AbortSignal): Promise<never> {
  await clock.sleep(DELIVERY_TIMEOUT_MS, over);
  throw new SourceError('unavailable', 'TimeoutError', `${operation} failed: no answer within ${DELIVERY_TIMEOUT_MS / 1000} s`);
}
