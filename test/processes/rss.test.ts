import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest';
import { TestFleet, until, type Lane, type TestPoller } from './fleet.ts';

const MIB = 1024 ** 2;
const BUDGET_MIB = 64;
/** What a poller may grow beyond its budget: encoded events, answers on their way, garbage not collected yet. */
const ALLOWED_SHARE = 1.3;
const LANES = ['red', 'green', 'blue'];
/** Far above the budget: 120 MiB of messages. */
const MESSAGES_PER_LANE = 40;
const BODY = 'x'.repeat(MIB);

interface Stall {
  isOn: boolean;
  readonly over: Promise<void>;
  end: () => void;
}

function stall(): Stall {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state: Stall = {
    isOn: true,
    over: promise,
    end: () => {
      state.isOn = false;
      resolve();
    },
  };
  return state;
}

let fleet: TestFleet;
let lanes: Lane[];
let target = stall();

beforeAll(async () => {
  fleet = await TestFleet.open({ config: { limits: { bufferedBytes: `${BUDGET_MIB}MiB` } } });
  lanes = await Promise.all(
    LANES.map((name) =>
      fleet.addLane(name, {
        queue: { visibilityTimeoutSeconds: 120 },
        function: { Timeout: 100 },
        handler: async () => (target.isOn ? await target.over : undefined),
      }),
    ),
  );
});
afterAll(async () => {
  target.end();
  await fleet.close();
});

/** A field of `/proc/<pid>/status` in MiB: `VmRSS` is what the process has now, `VmHWM` the most it ever had. */
function memoryMib(poller: TestPoller, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${poller.child.pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

async function fill(lane: Lane): Promise<void> {
  for (let sent = 0; sent < MESSAGES_PER_LANE; sent += 1) await fleet.queues.send(lane.queue, [{ body: BODY }]);
}

/** Waits until a second has gone by in which the poller fetched nothing. */
async function quiet(poller: TestPoller): Promise<void> {
  let seen = { polled: -1, sinceMs: 0 };
  await until(
    async () => {
      const { mappings } = await poller.status();
      const polled = mappings.reduce((sum, { totals }) => sum + totals.polled, 0);
      if (polled !== seen.polled) seen = { polled, sinceMs: performance.now() };
      return performance.now() - seen.sinceMs;
    },
    (quietMs) => quietMs >= 1_000,
  );
}

/** Until every mapping has what it may have, and nothing more is fetched. @returns the most memory the poller ever had, in MiB */
async function stalledMib(poller: TestPoller): Promise<number> {
  const full = await until(
    () => poller.status(),
    ({ buffer, mappings }) => buffer.backpressure && mappings.every(({ inFlight }) => inFlight > 0),
  );
  await quiet(poller);
  for (const { totals } of full.mappings) expect(totals.polled).toBeLessThan(MESSAGES_PER_LANE);
  return memoryMib(poller, 'VmHWM');
}

function print(figures: Record<string, number>): void {
  const text = Object.entries(figures).map(([name, mib]) => `${name} ${mib.toFixed(0)} MiB`);
  // oxlint-disable-next-line no-console -- the figure is what a reader of the test's output is after
  console.log(`memory of a poller with a budget of ${BUDGET_MIB} MiB: ${text.join(', ')}`);
}

test('with a stalled target and messages of 1 MiB a poller grows by no more than its budget and 30 %', async (context: TestContext) => {
  if (process.platform !== 'linux') return context.skip('memory is read from /proc');
  const [poller] = (await fleet.start()) as [TestPoller];
  const idle = memoryMib(poller, 'VmRSS');
  await Promise.all(lanes.map(fill));
  const stalled = await stalledMib(poller);

  // The whole backlog through the same budget. What this takes is printed and not promised: the collector lets garbage lie about.
  target.end();
  for (const { queue } of lanes) await fleet.emptied(queue);
  print({ idle, stalled, passed: memoryMib(poller, 'VmHWM') });
  poller.child.kill('SIGTERM');
  await poller.exited;
  expect(stalled - idle).toBeLessThanOrEqual(BUDGET_MIB * ALLOWED_SHARE);

  // A poller that starts in front of queues full of the largest messages, and knows nothing of them.
  target = stall();
  await Promise.all(lanes.map(fill));
  const [late] = (await fleet.start()) as [TestPoller];
  const surprised = await stalledMib(late);
  print({ idle, 'stalled, in front of full queues': surprised });
  expect(surprised - idle).toBeLessThanOrEqual(BUDGET_MIB * ALLOWED_SHARE);
});
