import type { Clock } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';
import { MemoryAuditStore } from './memory-audit-store.ts';
import { MemoryGateStore } from './memory-gate-store.ts';
import { MemoryLeaseStore } from './memory-lease-store.ts';
import { MemoryMemberStore } from './memory-member-store.ts';
import { MemoryPauseStore } from './memory-pause-store.ts';
import { MemoryPermitStore } from './memory-permit-store.ts';
import { MemoryScaleStore } from './memory-scale-store.ts';
import { MemoryStreamStore } from './memory-stream-store.ts';

/**
 * All that pollers share, inside one process: give every simulated poller the same object. Nothing outlives the process.
 *
 * @param clock the store's own clock; its wall time decides every expiry, as Redis's does
 */
export function createMemoryCoordination(clock: Clock): Coordination {
  return {
    leases: new MemoryLeaseStore(clock),
    members: new MemoryMemberStore(clock),
    permits: new MemoryPermitStore(clock),
    gates: new MemoryGateStore(clock),
    scale: new MemoryScaleStore(clock),
    streams: new MemoryStreamStore(clock),
    pauses: new MemoryPauseStore(clock),
    audit: new MemoryAuditStore(),
  };
}
