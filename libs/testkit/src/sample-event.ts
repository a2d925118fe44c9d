import type { EngineEvent } from '@wherry/core/engine-event';

/** A successful invocation of four messages; a test changes what it is about. */
export const sampleInvoked = {
  type: 'invoked',
  mapping: 'orders',
  function: 'orders',
  outcome: 'success',
  batch: 'b1',
  attempt: 1,
  requestId: 'r1',
  events: 4,
  failed: 0,
  bytes: 2_000,
  durationMs: 30,
  ageMs: 1_500,
} as const satisfies EngineEvent;
