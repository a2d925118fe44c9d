/** One log line before it is printed. */
export interface Line {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  /** A constant phrase in the past tense: searchable, never interpolated. */
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What makes two lines the same, beside level, phrase and mapping; absent where every line is printed. */
  readonly foldBy?: string;
}
