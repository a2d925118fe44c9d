import type { EngineEvent } from '@wherry/core/engine-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { CutOffMappings } from './cut-off-mappings.ts';

const unreachable: EngineEvent = { type: 'problem', mapping: 'clicks', code: 'unavailable', message: 'timed out', resolved: false };
const forbidden: EngineEvent = { ...unreachable, code: 'accessDenied' };
const polled: EngineEvent = { type: 'polled', mapping: 'clicks', outcome: 'empty', events: 0, bytes: 0, durationMs: 1 };

/** Whether the mapping is cut off, each ten seconds from the first event on; further events come after 30 s. */
async function watch(first: EngineEvent, after: readonly EngineEvent[] = []): Promise<string> {
  const sim = new SimClock();
  const mappings = new CutOffMappings(sim.clock());
  mappings.note(first);
  let seen = '';
  for (let second = 0; second < 200; second += 10) {
    if (second === 30) for (const event of after) mappings.note(event);
    seen += mappings.isCutOff('clicks') ? 'x' : '.';
    await sim.advance(10_000);
  }
  return seen;
}

const LEFT_TO_OTHERS = '......xxxxxx......xx';

test.each([
  ['a source that is out of reach is left to others for a while after a minute, and tried again', unreachable, [], LEFT_TO_OTHERS],
  ['one that is reached again is kept', unreachable, [{ ...unreachable, resolved: true }], '.'.repeat(20)],
  ['so is one of which a read has worked', unreachable, [polled], '.'.repeat(20)],
  ['that nobody here reads it any more says nothing', unreachable, [{ ...unreachable, resolved: true, isLeft: true }], LEFT_TO_OTHERS],
  ['neither does a read that failed', unreachable, [{ ...polled, outcome: 'error' }], LEFT_TO_OTHERS],
  ['a trouble that all pollers share is no reason', forbidden, [], '.'.repeat(20)],
  ['nor one that turns into such a trouble', unreachable, [forbidden], '.'.repeat(20)],
] as const)('%s', async (_, first, after, expected) => {
  expect(await watch(first, after)).toBe(expected);
});
