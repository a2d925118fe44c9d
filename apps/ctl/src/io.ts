/** What a command sees of the outside: where it writes and what the environment says. Tests give their own. */
export interface Io {
  /** A write that returns false asks to wait for `drain` before the next. */
  readonly stdout: { write(text: string): unknown; once?(event: 'drain', listener: () => void): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: { readonly isTTY?: boolean; [Symbol.asyncIterator]?(): AsyncIterator<Uint8Array | string> };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Exit codes of every command. A command ended by a second signal exits with 128 plus its number. */
export const ExitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** Bad usage that only the command itself can see: the message goes to standard error and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
