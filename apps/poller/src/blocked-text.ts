import { durationText, plainText } from './terminal-text.ts';

/** What keeps a shard from going on: the lane that is blocked longest. Names are stable. */
export interface BlockedReport {
  /** ISO 8601. */
  readonly since: string | null;
  readonly lane: number | null;
  /** Invocations of the batch so far, or tries at its failure destination. */
  readonly attempts: number | null;
  /** `functionError`, `refused`, `tooLarge` or `destination`. */
  readonly reason: string | null;
  readonly error: string | null;
  /** ISO 8601. */
  readonly nextAttemptAt: string | null;
}

/** Notes are written by other processes, perhaps of another version: whatever stands in them must not end this one. */
export function isoTime(ms: unknown): string | null {
  return typeof ms === 'number' && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null;
}

/**
 * `attempt 4 since 4m 10s, next in 8.0 s: functionError TypeError: cannot read 'plan'`.
 *
 * @param nowMs wall clock, epoch milliseconds
 */
export function blockedText({ since, attempts, reason, error, nextAttemptAt }: BlockedReport, nowMs: number): string {
  const nextMs = nextAttemptAt === null ? 0 : Date.parse(nextAttemptAt) - nowMs;
  const attempt = attempts === null ? 'blocked' : `attempt ${attempts}`;
  const begun = since === null ? '' : ` since ${durationText(Math.max(0, nowMs - Date.parse(since)))}`;
  const why = [reason, error].filter((text) => text !== null && text !== '').join(' ');
  return plainText(`${attempt}${begun}, ${nextMs > 0 ? `next in ${durationText(nextMs)}` : 'trying now'}${why === '' ? '' : `: ${why}`}`);
}
