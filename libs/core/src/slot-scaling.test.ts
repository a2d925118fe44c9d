import { expect, it } from 'vitest';
import { NOTHING_SEEN, voteOnSlots } from './slot-scaling.ts';

const SEEN = { ...NOTHING_SEEN, slotsHeld: 8 };
const FULL = { ...SEEN, receives: 10, fullReceives: 6 };
const QUIET = { ...SEEN, receives: 10, emptyReceives: 9 };
const FAILING = { ...SEEN, receives: 10, fullReceives: 10, invocations: 10, functionErrors: 5 };

it.each([
  ['receives that come back full add slots', FULL, 1_000, false, 8],
  ['not before a second has passed', FULL, 999, false, undefined],
  [
    'a few full receives are no backlog while most slots have found nothing yet',
    { ...FULL, receives: 3, fullReceives: 3 },
    1_000,
    false,
    undefined,
  ],
  ['some full receives are no backlog', { ...FULL, fullReceives: 4 }, 1_000, false, undefined],
  ['a quiet queue takes slots away', QUIET, 60_000, false, -4],
  ['not before a minute has passed', QUIET, 59_999, false, undefined],
  ['the last slot of a poller may go', { ...QUIET, slotsHeld: 1 }, 60_000, false, -1],
  ['a failing function takes slots away, backlog or not', FAILING, 60_000, false, -2],
  ['a failing function adds none', FAILING, 1_000, false, undefined],
  ['with ReportBatchItemFailures failures do not matter', FAILING, 1_000, true, 8],
  ['a queue that is neither stays as it is', { ...SEEN, receives: 10, emptyReceives: 5 }, 60_000, false, 0],
  ['nothing seen, nothing said', SEEN, 60_000, false, 0],
] as const)('%s', (_, seen, elapsedMs, reports, delta) => {
  expect(voteOnSlots(seen, elapsedMs, reports)).toBe(delta);
});
