import { totalmem } from 'node:os';

/**
 * The memory this process may use at most: the container's limit (cgroup v1 or v2), or undefined where there is none below the
 * machine's own memory.
 */
export function containerMemoryLimitBytes(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}
