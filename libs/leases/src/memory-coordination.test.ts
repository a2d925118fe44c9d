import type { Coordination } from '@wherry/core/coordination';
import { gateStoreContract } from '@wherry/testkit/contracts/gate-store';
import type { StoreHarness } from '@wherry/testkit/contracts/harness';
import { leaseStoreContract } from '@wherry/testkit/contracts/lease-store';
import { memberStoreContract } from '@wherry/testkit/contracts/member-store';
import { permitStoreContract } from '@wherry/testkit/contracts/permit-store';
import { scaleStoreContract } from '@wherry/testkit/contracts/scale-store';
import { createMemoryCoordination } from './memory-coordination.ts';

function open<Key extends keyof Coordination>(key: Key): () => Promise<StoreHarness<Coordination[Key]>> {
  return () => {
    // Not the simulated clock: the contract also sets time back, which no simulation of sleepers can do.
    let nowMs = 1_700_000_000_000;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };
    const advance = (ms: number): Promise<void> => {
      nowMs += ms;
      return Promise.resolve();
    };
    return Promise.resolve({ store: createMemoryCoordination(clock)[key], advance });
  };
}

leaseStoreContract('memory', open('leases'));
memberStoreContract('memory', open('members'));
permitStoreContract('memory', open('permits'));
gateStoreContract('memory', open('gates'));
scaleStoreContract('memory', open('scale'));
