/** What a command wrote, with everything a command needs around it. There is no terminal. */
export interface CapturedIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: Record<string, never>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** All that was written so far. */
  readonly out: () => string;
  readonly err: () => string;
}

/** Gives a command an outside of its own and keeps what it writes. */
export function capturedIo(env: CapturedIo['env'] = {}): CapturedIo {
  const written = { out: '', err: '' };
  return {
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    stdin: {},
    env,
    out: () => written.out,
    err: () => written.err,
  };
}
