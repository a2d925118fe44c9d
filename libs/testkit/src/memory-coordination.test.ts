import type { Coordination } from '@wherry/core/coordination';
import { auditStoreContract } from './contracts/audit-store.ts';
import { failedStoreContract } from './contracts/failed-store.ts';
import { gateStoreContract } from './contracts/gate-store.ts';
import type { StoreHarness } from './contracts/harness.ts';
import { leaseProgressContract } from './contracts/lease-progress.ts';
import { leaseStoreContract } from './contracts/lease-store.ts';
import { memberStoreContract } from './contracts/member-store.ts';
import { pauseStoreContract } from './contracts/pause-store.ts';
import { permitStoreContract } from './contracts/permit-store.ts';
import { scaleStoreContract } from './contracts/scale-store.ts';
import { streamStoreContract } from './contracts/stream-store.ts';
import { createMemoryCoordination } from './memory-coordination.ts';
import { MemoryFailedStore } from './memory-failed-store.ts';

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
leaseProgressContract('memory', open('leases'));
memberStoreContract('memory', open('members'));
permitStoreContract('memory', open('permits'));
gateStoreContract('memory', open('gates'));
scaleStoreContract('memory', open('scale'));
streamStoreContract('memory', open('streams'));
pauseStoreContract('memory', open('pauses'));
auditStoreContract('memory', open('audit'));
failedStoreContract('memory', () => Promise.resolve(new MemoryFailedStore()));
