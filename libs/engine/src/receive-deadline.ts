import type { Clock } from '@wherry/core/clock';
import type { QueueMessage, QueueSource, ReceiveRequest } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';

/** What a receive may take beyond the time for which the queue was asked to wait: look-ups, a slow network, another attempt. */
const ANSWER_GRACE_MS = 10_000;

/**
 * The same queue, but a receive that is not answered in time is given up, with everything the source does about it. How long that
 * is depends on how long the queue was asked to wait: a short poll that hangs would otherwise keep its slot for as long as a long
 * one may. Messages that were on their way come back when their visibility ends, as after any lost answer.
 *
 * `receive` throws `SourceError` with the code `unavailable` then.
 */
export function withReceiveDeadline(source: QueueSource, clock: Clock): QueueSource {
  return {
    receive: (request) => receiveInTime(source, request, clock),
    delete: (messages) => source.delete(messages),
    changeVisibility: (messages, timeoutSeconds) => source.changeVisibility(messages, timeoutSeconds),
    attributes: () => source.attributes(),
    refresh: () => source.refresh(),
    close: () => source.close(),
  };
}

async function receiveInTime(source: QueueSource, request: ReceiveRequest, clock: Clock): Promise<QueueMessage[]> {
  const withinMs = request.waitTimeSeconds * 1_000 + ANSWER_GRACE_MS;
  const givenUp = new AbortController();
  const answered = new AbortController();
  // Not AbortSignal.any: one made from a signal as old as the process, for each of its receives, would never be collected.
  const stop = (): void => givenUp.abort();
  request.signal.addEventListener('abort', stop, { once: true });
  if (request.signal.aborted) stop();
  try {
    const answer = source.receive({ ...request, signal: givenUp.signal });
    const late = clock.sleep(withinMs, answered.signal).then(() => undefined);
    const messages = await Promise.race([answer, late]);
    if (messages !== undefined) return messages;
    // Its own end, whatever it is, is of no interest any more.
    answer.catch(() => undefined);
    givenUp.abort();
    throw new SourceError('unavailable', 'TimeoutError', `ReceiveMessage was not answered within ${withinMs / 1_000} s`);
  } finally {
    answered.abort();
    request.signal.removeEventListener('abort', stop);
  }
}
