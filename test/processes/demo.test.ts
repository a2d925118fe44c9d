import { expect, test } from 'vitest';
import { root, run } from './wherry-command.ts';

/** Runs the demo's story in a process group of its own; `onOutput` may disturb it. */
function demo(onOutput?: (text: string, pid: number) => void): ReturnType<typeof run> {
  return run(process.execPath, ['apps/demo/src/main.ts'], {
    cwd: root,
    // The demo starts a Redis of its own unless it is given one.
    env: { REDIS_URL: '' },
    detached: true,
    onOutput: (text, child) => {
      if (child.pid !== undefined) onOutput?.(text, child.pid);
    },
  });
}

test('the demo carries every message through a kill and a drain, and its ledger balances', async () => {
  let group = 0;
  const result = await demo((_text, pid) => {
    group = pid;
  });
  expect(result.stdout).toContain('every message accounted for');
  expect(result.stdout).toMatch(/sent 2,400 = delivered [\d,]+ \+ filtered 136 \+ dead-lettered \d+\n/);
  expect(result.stdout).toMatch(/SIGKILL to poller-2[\s\S]*the others hold all slots[\s\S]*poller-3 drained and exited with 0/);
  // Piped output is plain lines: no colours, no cursor movements.
  expect(result.stdout).not.toContain('\u001B');
  expect(result.code).toBe(0);
  expect(() => process.kill(-group, 0)).toThrow(/ESRCH/);
});

test('Ctrl-C in the middle of the demo stops everything it started', async () => {
  let output = '';
  let group = 0;
  const result = await demo((text, pid) => {
    output += text;
    if (group !== 0 || !output.includes('poller slots leased')) return;
    group = pid;
    process.kill(-pid, 'SIGINT');
  });
  expect(result.code).toBe(130);
  expect(group).toBeGreaterThan(0);
  expect(() => process.kill(-group, 0)).toThrow(/ESRCH/);
});
