import { readFileSync } from 'node:fs';

/** Linux counts process time in ticks of 1/100 s in /proc. */
const ticksPerSecond = 100;

/** CPU seconds (user and system, all threads) that a process has used so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The process name in parentheses may hold blanks; the numbered fields start after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
