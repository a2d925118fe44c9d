import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { type AuditEntry, type AuditStore, StoreError } from '@wherry/core/coordination';
import { VERSION } from '@wherry/poller/version';

/** Whoever runs a command, as pauses and the audit trail name them: `alice@laptop`. */
export function operatorName(): string {
  return `${userName()}@${hostname()}`;
}

/** A user id without an entry in the machine's list of users, as containers have it, has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/** What somebody did, for the audit trail. */
export interface Deed {
  /** CloudTrail's way of naming: `MappingPaused`, `CheckpointReset`. */
  readonly eventName: string;
  readonly by: string;
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>> | null;
  /** Absent if it succeeded. */
  readonly errorCode?: string;
}

/**
 * Appends a line to the audit trail, unless the configuration switches it off.
 *
 * @param audit.isEnabled `audit.enabled` of the configuration
 * @throws StoreError that says that the deed itself is done
 */
export async function recordDeed(audit: { readonly store: AuditStore; readonly isEnabled: boolean }, deed: Deed): Promise<void> {
  if (!audit.isEnabled) return;
  const { eventName, by, requestParameters, responseElements, errorCode = null } = deed;
  const entry: AuditEntry = {
    eventTime: new Date().toISOString(),
    eventName,
    userIdentity: by,
    sourceIPAddress: hostname(),
    userAgent: `wherry/${VERSION}`,
    requestParameters,
    responseElements,
    errorCode,
    requestID: randomUUID(),
    readOnly: false,
  };
  try {
    await audit.store.append(entry);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(`it is done, but the audit trail was not written: ${error.message}`, { cause: error });
  }
}
