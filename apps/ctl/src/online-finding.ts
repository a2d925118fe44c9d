/**
 * What a check of the outside world has to say about one value of the configuration. The place in the file is found later,
 * from `path`.
 */
export interface OnlineFinding {
  readonly severity: 'error' | 'warning' | 'notice';
  /** Path of the value, such as `['mappings', 'orders', 'EventSourceArn']`. */
  readonly path: readonly string[];
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  /** Lambda's own words for the same refusal, where they are known. */
  readonly awsMessage?: string;
}
