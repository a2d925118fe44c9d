/** What the owner of a shard's lease tells people about it while something keeps the shard from going on: the `note` of its lease. */
export interface LeaseNote {
  /**
   * `reading`: nothing is wrong; written to take back what was said before. `blocked`: a lane keeps failing on one batch, or waits for a
   * failure destination. `draining`: the lease is being handed over and a batch still runs. `ending`: read to its end, the children are
   * not found yet. `damaged`: the checkpoint cannot be read, and a person has to decide.
   */
  readonly state: 'reading' | 'blocked' | 'draining' | 'ending' | 'damaged';
  /** How far the reader was behind the tip when this was written, where the source says so. */
  readonly behindMs?: number;
  /** The lane that is blocked longest, from 0; it and what follows only while something is blocked. */
  readonly lane?: number;
  /** Since when, epoch milliseconds. */
  readonly blockedSinceMs?: number;
  /** Attempts so far: invocations of the batch, or tries at the destination. */
  readonly attempts?: number;
  readonly reason?: 'functionError' | 'refused' | 'tooLarge' | 'destination';
  /** Error type or reason, never the function's payload. */
  readonly error?: string;
  /** When the next attempt is due, epoch milliseconds. */
  readonly nextAtMs?: number;
}

/** People read it in a terminal, and every claim scan carries it: a longer error is cut off. */
const ERROR_CHARACTERS_MAX = 300;

/** The text for the lease; empty for a shard that has nothing to tell. */
export function writeLeaseNote(note: LeaseNote | undefined): string {
  if (note === undefined) return '';
  return JSON.stringify(note.error === undefined ? note : { ...note, error: note.error.slice(0, ERROR_CHARACTERS_MAX) });
}

const STATES: ReadonlySet<unknown> = new Set<LeaseNote['state']>(['reading', 'blocked', 'draining', 'ending', 'damaged']);

/**
 * Reads what `writeLeaseNote` wrote.
 * @returns `undefined` for an empty text and for one that is no such note: it is for people, so nothing depends on it
 */
export function readLeaseNote(text: string): LeaseNote | undefined {
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof note !== 'object' || note === null) return undefined;
  return STATES.has((note as { readonly state?: unknown }).state) ? (note as LeaseNote) : undefined;
}
