/**
 * Time, chance and identity, injected from the top so that the whole fleet can run in a seeded simulation.
 * Nothing in `libs/core` or `libs/engine` reads a clock or draws a number in any other way (`test/tidy.test.ts`).
 */
export interface Clock {
  /** Wall time in epoch milliseconds. For timestamps that people or AWS read, never for deadlines. */
  nowMs(): number;
  /** Milliseconds on this process's monotonic clock. Every deadline and lease validity is measured on it. */
  monotonicMs(): number;
  /**
   * Waits `ms` milliseconds. Resolves (never rejects) early when `signal` aborts, because a stop is not an error:
   * callers look at their own signal afterwards.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1), as `Math.random`. */
export type Random = () => number;

/** Makes a fresh random identifier (a UUID outside tests). */
export type NewId = () => string;

/** The three of them together: what a loop is given instead of the globals. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
}

/**
 * The two ways to stop, passed down from `main` (design: `drain` then `kill`).
 *
 * - `drain`: take nothing new, finish what runs, settle it, release leases.
 * - `kill`: the grace period is over; abandon what runs and give back what can be given back.
 */
export interface StopSignals {
  readonly drain: AbortSignal;
  readonly kill: AbortSignal;
}
