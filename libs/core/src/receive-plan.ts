/** What to ask of a queue in one receive: how long to wait, and for how long the messages shall be ours. */

/** SQS allows a visibility timeout of at most 12 hours, counted from the receive. */
export const VISIBILITY_SECONDS_MAX = 43_200;

/**
 * Lambda receives with window + Timeout + 30 s where the queue's own timeout is too short to gather a batch and run it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
const WINDOW_SPARE_SECONDS = 30;

/** Of the visibility timeout, what must be left (by our count) of a message that arrives at the last moment of a long poll. */
const LEFT_AFTER_POLL_SECONDS_MAX = 10;

/**
 * The visibility timeout to ask for in a receive, in seconds; `undefined` leaves the queue's own.
 */
export function receiveVisibilitySeconds(
  windowSeconds: number,
  timeoutSeconds: number,
  queueVisibilitySeconds: number,
): number | undefined {
  if (windowSeconds === 0 || windowSeconds + timeoutSeconds <= queueVisibilitySeconds) return undefined;
  return Math.min(VISIBILITY_SECONDS_MAX, windowSeconds + timeoutSeconds + WINDOW_SPARE_SECONDS);
}

/**
 * `WaitTimeSeconds` of the next receive: the configured long poll, but no longer than what is left of an open batch's window
 * (rounded up, as SQS takes whole seconds).
 *
 * Short visibility timeouts shorten it too. A message's visibility is counted from when its receive was *sent*, since a paused
 * process cannot tell how long the answer lay about. A message that arrives late in a long poll therefore looks older than it
 * is, and with a poll as long as the visibility timeout it would look expired on arrival, every time.
 */
export function waitTimeSeconds(configuredSeconds: number, visibilitySeconds: number, windowLeftMs: number | undefined): number {
  const leftAfterPoll = Math.min(LEFT_AFTER_POLL_SECONDS_MAX, Math.ceil(visibilitySeconds / 2));
  const longest = Math.min(configuredSeconds, visibilitySeconds - leftAfterPoll);
  if (windowLeftMs === undefined) return longest;
  return Math.min(longest, Math.ceil(Math.max(0, windowLeftMs) / 1_000));
}
