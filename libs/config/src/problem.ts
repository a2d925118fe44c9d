/**
 * One thing that is wrong (or worth knowing) in the configuration, with the place to look at.
 *
 * `line`, `column` and `endColumn` count from 1, columns in UTF-16 units; `endColumn` is the column after the last one marked.
 * Line 0 means the file as a whole (it could not be read).
 */
export interface Problem {
  /** Errors refuse the file; warnings and notices do not. */
  readonly severity: 'error' | 'warning' | 'notice';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  /** Path of the value as written in the file, such as `mappings.clicks.BatchSize`; empty where the value has no path. */
  readonly path: string;
  /** Stable word for programs, such as `unknown-field`. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly help?: string;
  /** The exact text with which Lambda's own API refuses the same thing, where one is known. */
  readonly awsMessage?: string;
  /** The line of the file at `line`, secrets starred; for the text layout. */
  readonly sourceLine?: string;
}

/** Orders problems by file (in the order the files were read), then by place; errors of one place before notices. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const rank = (problem: Problem) => order.get(problem.file) ?? files.length;
  return problems.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}
