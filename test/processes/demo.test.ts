import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { machineCommand, root, run, type CommandResult } from './wherry-command.ts';

interface DemoRun extends CommandResult {
  /** What it left in the folder for temporary files. */
  readonly leftFiles: readonly string[];
  /** Processes of its group that are still there. */
  readonly isGroupGone: boolean;
}

/** Runs the demo's story in a process group of its own; `onOutput` may disturb it. */
async function demo(
  env: Readonly<Record<string, string>> = {},
  onOutput?: (text: string, group: number, child: ChildProcess) => void,
): Promise<DemoRun> {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-demo-'));
  let group = 0;
  const result = await run(process.execPath, ['apps/demo/src/main.ts'], {
    cwd: root,
    // The demo starts a Redis of its own unless it is given one.
    env: { REDIS_URL: '', TMPDIR: folder, ...env },
    detached: true,
    onOutput: (text, child) => {
      group = child.pid ?? 0;
      onOutput?.(text, group, child);
    },
  });
  const leftFiles = await readdir(folder);
  await rm(folder, { recursive: true });
  return { ...result, leftFiles, isGroupGone: group > 0 && isGone(group) };
}

function isGone(group: number): boolean {
  try {
    process.kill(-group, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** The numbers of the line that says what became of everything. */
function balanceOf(stdout: string): Record<'sent' | 'delivered' | 'filtered' | 'deadLettered' | 'failureQueue', number> {
  const line = /sent ([\d,]+) = delivered ([\d,]+) \+ filtered ([\d,]+) \+ dead-lettered ([\d,]+) \+ failure queue ([\d,]+)\n/.exec(stdout);
  const [sent = NaN, delivered = NaN, filtered = NaN, deadLettered = NaN, failureQueue = NaN] = (line ?? [])
    .slice(1)
    .map((text) => Number(text.replaceAll(',', '')));
  return { sent, delivered, filtered, deadLettered, failureQueue };
}

/** What every whole run shows, with the table and without. */
function expectWholeStory(result: DemoRun): void {
  const { stdout } = result;
  expect(stdout).toContain('every message accounted for');
  expect(stdout).toMatch(/SIGKILL to poller-\d, which held \d+ slots? and \d+ shards?\n/);
  expect(stdout).toMatch(/the others hold all slots and shards [\s\S]*SIGTERM to (poller-\d)[\s\S]*\1 drained and exited with 0/);
  expect(stdout).toMatch(/shardId-0+ of clicks is split in two [\s\S]*both halves are read/);
  const { sent, delivered, filtered, deadLettered, failureQueue } = balanceOf(stdout);
  expect(sent).toBe(delivered + filtered + deadLettered + failureQueue);
  // Poison has no other way out; a good click may be unlucky at each of its three tries.
  expect(deadLettered).toBeGreaterThanOrEqual(4);
  expect(failureQueue).toBeGreaterThanOrEqual(3);
  // Piped output is plain lines: no colours, no cursor movements.
  expect(stdout).not.toContain('\u001B');
  expect(result).toMatchObject({ code: 0, leftFiles: [], isGroupGone: true });
}

test.concurrent('the demo carries everything through a kill, a split and a drain, and its ledger balances', async (context) => {
  if (machineCommand('java') === undefined) return context.skip('there is no Java for DynamoDB Local');
  const result = await demo();
  expectWholeStory(result);
  expect(result.stdout).toMatch(/carts-table +dynamodb +400\/400/);
  expect(balanceOf(result.stdout)).toMatchObject({ sent: 4_400, filtered: 236 });
});

test.concurrent('without Java the demo says what to install, leaves the table out and balances; another one may run beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-demo-path-'));
  const redis = machineCommand('redis-server') ?? machineCommand('valkey-server');
  if (redis === undefined) throw new Error('there is no redis-server; npm test installs it or says how');
  await symlink(redis, join(folder, basename(redis)));
  const result = await demo({ PATH: folder });
  await rm(folder, { recursive: true });
  expectWholeStory(result);
  expect(result.stdout).toMatch(
    /- the table is left out: DynamoDB Local needs Java 17 or newer: apt-get install default-jre-headless, .*\n/,
  );
  expect(result.stdout).not.toContain('carts-table');
  expect(balanceOf(result.stdout)).toMatchObject({ sent: 3_900, filtered: 136 });
});

test.concurrent.each(['redis-server', 'leased ('])('Ctrl-C after "%s" stops everything that the demo started', async (moment) => {
  let output = '';
  let isSent = false;
  const result = await demo({}, (text, group) => {
    output += text;
    if (isSent || !output.includes(moment)) return;
    isSent = true;
    process.kill(-group, 'SIGINT');
  });
  expect(result).toMatchObject({ code: 130, leftFiles: [], isGroupGone: true });
});

test.concurrent('when nobody reads what the demo prints any more, it stops everything too', async () => {
  const result = await demo({}, (text, _group, child) => {
    if (text.includes('SQS emulator')) child.stdout?.destroy();
  });
  expect(result).toMatchObject({ code: 141, leftFiles: [], isGroupGone: true });
});
