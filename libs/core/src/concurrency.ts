import { type InvokeResult, isTimeout } from './invoke.ts';

/**
 * Learned concurrency of one target: additive increase, multiplicative decrease. It starts without a limit of its own, because
 * the number of slots starts small and grows; the first sign of overload sets a limit at half of what was running.
 */
export interface Concurrency {
  /** Invocations at a time; `Infinity` until the target first complained. */
  readonly limit: number;
  /** Answers since the limit last moved, counted only while the limit was in use. */
  readonly answers: number;
  /** Monotonic time of the last decrease. */
  readonly decreasedAtMs: number;
}

/** What is known of a target before its first complaint. */
export const UNLIMITED: Concurrency = { limit: Number.POSITIVE_INFINITY, answers: 0, decreasedAtMs: Number.NEGATIVE_INFINITY };

/**
 * The concurrency after one result.
 *
 * - A throttle or a timeout halves it, never below 1, and only once per round: results of invocations that began before the
 *   last decrease say nothing about the new limit.
 * - As many answers as the limit allows at a time (one window) raise it by 1, if the limit was what held things back.
 * - A target that cannot be reached is the breaker's business and changes nothing.
 *
 * @param running invocations in flight when the result came, this one included
 */
export function learnConcurrency(state: Concurrency, result: InvokeResult, running: number, nowMs: number): Concurrency {
  if (result.kind === 'unavailable') return state;
  if (result.kind === 'throttled' || isTimeout(result)) {
    if (nowMs - result.durationMs < state.decreasedAtMs) return state;
    return { limit: Math.max(1, Math.floor(Math.min(state.limit, running) / 2)), answers: 0, decreasedAtMs: nowMs };
  }
  if (state.limit === Number.POSITIVE_INFINITY || running < state.limit) return state;
  if (state.answers + 1 < state.limit) return { ...state, answers: state.answers + 1 };
  return { ...state, limit: state.limit + 1, answers: 0 };
}
