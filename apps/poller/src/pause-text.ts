import { durationText, plainText } from './terminal-text.ts';

/** A pause, as JSON has it: `leftMs` is null until somebody resumes. */
export interface PauseReport {
  readonly by: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly leftMs: number | null;
}

/** `clicks: paused by alice@laptop 12m 03s ago, for another 48m 00s: deploy`. */
export function pauseText(name: string, { by, reason, sinceMs, leftMs }: PauseReport): string {
  const left = leftMs === null || !Number.isFinite(leftMs) ? '' : `, for another ${durationText(leftMs)}`;
  return plainText(`${name}: paused by ${by} ${durationText(sinceMs)} ago${left}${reason === '' ? '' : `: ${reason}`}`);
}
