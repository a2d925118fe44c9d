import type { FunctionDefinition } from './mapping.ts';

/** What `lambda` and `rie` get beyond `Timeout`: both end a slow function themselves, and their own word about it is the better answer. */
const OWN_TIMEOUT_SLACK_MS = 5_000;

/**
 * How long one invocation of `fn` may take, from the first byte to the last of the answer, in milliseconds. Whatever has to
 * outlast an invocation (visibility, permits, a probe) is counted from here.
 */
export function deadlineMsOf(fn: Pick<FunctionDefinition, 'timeoutSeconds' | 'target'>): number {
  return fn.timeoutSeconds * 1_000 + (fn.target.kind === 'http' ? 0 : OWN_TIMEOUT_SLACK_MS);
}
