import { systemClock } from '@wherry/poller/surroundings';
import type { Io } from './io.ts';

const WATCH_EVERY_MS = 2_000;

/** Moves the cursor to the upper left corner and clears what is below. */
const CLEAR_SCREEN = '\u001B[H\u001B[2J';

/** The options of a command that shows something, once or again and again. */
export interface WatchOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

/**
 * Shows something, with `--watch` every two seconds until the signal aborts.
 *
 * @param show writes it and returns the exit code
 * @returns the last exit code
 */
export async function showRepeatedly(options: WatchOptions, show: () => Promise<number>, stop?: AbortSignal): Promise<number> {
  for (;;) {
    const code = await show();
    if (options.watch === true) await systemClock.sleep(WATCH_EVERY_MS, stop);
    if (options.watch !== true || stop?.aborted === true) return code;
  }
}

/** What is shown each time: JSON, with `--watch` as one line; or text, on a terminal in the place of the text before. */
export function shown(report: object, text: () => string, io: Io, { json, watch }: WatchOptions): string {
  if (json === true) return `${JSON.stringify(report, undefined, watch === true ? undefined : 2)}\n`;
  return `${watch === true && io.stdout.isTTY === true ? CLEAR_SCREEN : ''}${text()}\n`;
}
