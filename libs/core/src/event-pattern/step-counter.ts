/** Counts what matching does, so that tests can bound the work of the worst patterns and events without a clock. */
export interface StepCounter {
  /** Values looked at, tests run and characters searched. */
  steps: number;
}
