import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestFleet, type Lane, type TestPoller } from './fleet.ts';
import { agreed, Ledger, namedTarget, startNamed } from './ledger.ts';

/** Short enough for a test, with all proportions of the defaults. */
const LEASES = { ttl: '2s', renewEvery: '500ms', rebalanceEvery: '2s' };
/** A message in a dead poller's hand comes back after this long. */
const VISIBILITY_SECONDS = 4;
const NAMES = ['a', 'b', 'c'];

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.open({ config: { leases: LEASES, logging: { level: 'debug' } } });
});
afterAll(async () => {
  await fleet.close();
});

/** A lane of its own for a test, and three pollers that all carry its messages. */
async function underLoad(name: string, isPoison?: (number: number) => boolean) {
  const lane = await fleet.addLane(name, {
    queue: { visibilityTimeoutSeconds: VISIBILITY_SECONDS },
    maxReceiveCount: 2,
    mapping: { sqs: { waitTime: '1s' }, FunctionResponseTypes: ['ReportBatchItemFailures'] },
    function: { ...namedTarget(`${fleet.functions.url}/${name}`), Timeout: 2 },
  });
  await fleet.reload();
  const ledger = new Ledger(fleet, lane);
  const pollers = await startNamed(fleet, NAMES);
  ledger.start(80, isPoison);
  await ledger.deliversBy(NAMES);
  return { lane, ledger, pollers };
}

/** Stops what a test started, so that the next one has the machine for itself. */
async function drained(pollers: readonly TestPoller[], lane: Lane): Promise<unknown[]> {
  for (const { child } of pollers) child.kill('SIGTERM');
  const ends = await Promise.all(pollers.map(({ exited }) => exited));
  fleet.removeMapping(lane.name);
  return ends;
}

test('one of three pollers is killed under load: its slots are taken over and every message is delivered or dead-lettered', async () => {
  const { lane, ledger, pollers } = await underLoad('killed', (number) => number % 200 === 7);
  const [a, b, c] = pollers as [TestPoller, TestPoller, TestPoller];
  b.child.kill('SIGKILL');
  const inHand = ledger.inHand('b');
  expect(await b.exited).toEqual([null, 'SIGKILL']);
  await agreed([a, c], lane, 2);
  await ledger.delivers(200);

  const { lost, deadLettered } = await ledger.settle();
  expect(lost).toEqual([]);
  expect(ledger.duplicates(inHand)).toEqual([]);
  const poison = [...ledger.sent].filter((body) => body.startsWith('poison'));
  expect(poison.length).toBeGreaterThan(0);
  expect([...deadLettered].filter((body) => body.startsWith('poison')).toSorted()).toEqual(poison.toSorted());
  expect(await drained([a, c], lane)).toEqual([
    [0, null],
    [0, null],
  ]);
});

test('one of three pollers is frozen for more than three lease times: awake again, it invokes nothing before it has new leases', async () => {
  const { lane, ledger, pollers } = await underLoad('frozen');
  const [a, b, c] = pollers as [TestPoller, TestPoller, TestPoller];
  b.child.kill('SIGSTOP');
  const inHand = ledger.inHand('b');
  try {
    // The length of the freeze is what is tested.
    await Promise.all([once(AbortSignal.timeout(6_500), 'abort'), agreed([a, c], lane, 2)]);
  } finally {
    b.child.kill('SIGCONT');
  }
  const wokeAtMs = Date.now();
  await agreed([a, b, c], lane, 3);
  // Leases that have just moved stay where they are for a while; those of a poller that leaves are free at once.
  a.child.kill('SIGTERM');
  expect(await a.exited).toEqual([0, null]);
  await ledger.deliversBy(['b', 'c']);
  await ledger.delivers(200);

  const { lost } = await ledger.settle();
  expect(lost).toEqual([]);
  expect(ledger.duplicates(inHand)).toEqual([]);
  const acquired = b.lines().filter((line) => line['msg'] === 'lease acquired' && time(line) >= wokeAtMs);
  const late = ledger.by('b').filter(({ atMs }) => atMs >= wokeAtMs);
  const unleased = late.filter(({ epoch, atMs }) => !acquired.some((line) => line['epoch'] === epoch && time(line) <= atMs));
  expect(unleased).toEqual([]);
  expect(late.length).toBeGreaterThan(0);
  await drained([b, c], lane);
});

test('a rolling restart of all three pollers under load: each exits 0, nothing is lost and nothing comes twice', async () => {
  const { lane, ledger, pollers } = await underLoad('rolled');
  const now: TestPoller[] = [...pollers];
  for (const [index, name] of NAMES.entries()) {
    now[index]!.child.kill('SIGTERM');
    expect(await now[index]!.exited).toEqual([0, null]);
    [now[index]] = (await startNamed(fleet, [`${name}2`])) as [TestPoller];
    await agreed(now, lane, NAMES.length);
  }
  await ledger.delivers(200);
  const { lost } = await ledger.settle();
  expect(lost).toEqual([]);
  expect(ledger.duplicates()).toEqual([]);
  await drained(now, lane);
});

function time(line: Record<string, unknown>): number {
  return new Date(line['time'] as string | number).getTime();
}
