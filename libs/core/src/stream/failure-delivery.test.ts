import { describe, expect, it } from 'vitest';
import { DELIVERY_BACKOFF, DELIVERY_TRIES, afterFailedDelivery } from './failure-delivery.ts';

const decide = (failures: number, policy: 'block' | 'drop'): ReturnType<typeof afterFailedDelivery> =>
  afterFailedDelivery(failures, policy, () => 1);

describe('a failure destination that refuses', () => {
  it('STR-16 is given up after some tries where the mapping says drop, and the shard goes on', () => {
    const decisions = Array.from({ length: DELIVERY_TRIES }, (_, index) => decide(index + 1, 'drop'));
    expect(decisions.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'retry', 'retry', 'drop']);
  });

  it('blocks the shard where the mapping says block, trying later each time up to a bound', () => {
    expect([1, 2, 3].map((failures) => decide(failures, 'block'))).toEqual([
      { kind: 'retry', afterMs: 250 },
      { kind: 'retry', afterMs: 500 },
      { kind: 'retry', afterMs: 1_000 },
    ]);
    expect(decide(1_000_000, 'block')).toEqual({ kind: 'retry', afterMs: DELIVERY_BACKOFF.maxMs });
  });
});
