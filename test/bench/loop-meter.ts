/**
 * Loaded into a process that is measured (`node --import`): answers each message of its parent with how long the event loop was held up
 * at most since the message before, in milliseconds. It begins with the first message, because watching costs some CPU time.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The histogram counts the waits for its own timer, which ticks so often. */
const RESOLUTION_MS = 1;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
process.on('message', () => {
  process.send?.({ longestMs: Math.max(0, delays.max / 1e6 - RESOLUTION_MS) });
  delays.enable();
  delays.reset();
});
// The listener must not keep a process alive that has nothing else to do.
process.channel?.unref();
