import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Children } from './children.ts';
import { balances, Ledger, type Account } from './ledger.ts';
import { Queues, type DemoQueue, type Order } from './queues.ts';
import { SampleFunction } from './sample-function.ts';
import { Screen, type Progress } from './screen.ts';
import { fleetView, isReady, leasesHeld, startEmulator, startPoller, startRedis, type Poller } from './stack.ts';

/**
 * The story behind `npm start`: three poller processes carry two queues to a function that sometimes fails, one poller is killed
 * and one is drained on the way, and at the end every message must be accounted for. Exit code 0 only if the ledger balances.
 */

const orderCount = 2_000;
const paymentCount = 400;
const paymentGroups = 40;
const poisonEvery = 500;
const draftEvery = 20;
const freeEvery = 11;
const batchesPerSecond = 12;
const visibilitySeconds = 4;
const killAtShare = 0.15;
const drainAtShare = 0.65;
const storyMs = 55_000;

/** One queue with its page of the ledger and what is still to be sent. */
interface Lane {
  readonly queue: DemoQueue;
  readonly ledger: Ledger;
  readonly orders: readonly Order[];
}

const screen = new Screen(process.stdout);
const children = new Children();
const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

async function story(): Promise<boolean> {
  screen.title(`wherry ${version} · demo fleet · Node ${process.versions.node}`);
  const redis = await startRedis(children);
  screen.done(redis.what);
  const endpoint = await startEmulator(children);
  screen.done(`SQS emulator on ${endpoint.replace('http://', '')}`);
  const queues = new Queues(endpoint);
  const lanes = new Map<string, Lane>([
    ['/orders', await openLane(queues, 'orders', 3, makeOrders())],
    ['/payments', await openLane(queues, 'payments.fifo', 6, makePayments())],
  ]);
  const sample = new SampleFunction(Math.random, ({ path, acknowledged }) => {
    for (const id of acknowledged) lanes.get(path)?.ledger.acknowledged(id);
  });
  const functionUrl = await sample.listen();
  screen.done(`sample function on ${functionUrl.replace('http://', '')} (fails on purpose now and then)`);
  const env = { DEMO_REDIS_URL: redis.url, DEMO_SQS_ENDPOINT: endpoint, DEMO_FUNCTION_URL: functionUrl };
  const pollers = await Promise.all(['poller-1', 'poller-2', 'poller-3'].map((name) => startPoller(children, name, env)));
  await until(async () => (await Promise.all(pollers.map(isReady))).every(Boolean), 'the pollers to be ready');
  await until(async () => (await totalLeases(pollers)) >= 10, 'the first poller slots to be leased');
  const held = await Promise.all(pollers.map(leasesHeld));
  screen.done(`3 pollers up, ${held.reduce((sum, count) => sum + count, 0)} poller slots leased (${held.join('+')})`);
  screen.line();
  try {
    return await carry(queues, [...lanes.values()], pollers, sample);
  } finally {
    sample.close();
    queues.close();
  }
}

async function carry(queues: Queues, lanes: readonly Lane[], pollers: readonly Poller[], sample: SampleFunction): Promise<boolean> {
  screen.line(
    `  sending ${orderCount.toLocaleString('en')} orders (standard queue) · ${paymentCount} payments (FIFO, ${paymentGroups} groups)`,
  );
  screen.line();
  const deadline = AbortSignal.timeout(storyMs);
  const sending = Promise.all(lanes.map((lane) => sendAll(queues, lane)));
  sending.catch(() => {});
  const wantedCount = lanes.reduce((sum, lane) => sum + lane.orders.filter(isWanted).length, 0);
  const settledCount = (): number => lanes.reduce((sum, lane) => sum + lane.ledger.settledCount, 0);
  const disturbing = disturb(pollers, () => settledCount() / wantedCount);
  disturbing.catch(() => {});
  for (;;) {
    await collectDeadLetters(queues, lanes);
    failIfDead(pollers);
    const isComplete = settledCount() === wantedCount;
    screen.progress(progressOf(lanes, sample), isComplete || deadline.aborted);
    if (isComplete || deadline.aborted) break;
    await wait(200);
  }
  await sending;
  await disturbing;
  await until(async () => (await remaining(queues, lanes)) === 0, 'the queues to be empty', 10_000).catch((error: Error) =>
    screen.fail(error.message),
  );
  return report(
    lanes.map((lane) => lane.ledger.account()),
    await remaining(queues, lanes),
  );
}

/** What happens to the fleet on the way: one poller is killed, and when its slots have moved another one is drained. */
async function disturb(pollers: readonly Poller[], settledShare: () => number): Promise<void> {
  await until(async () => settledShare() >= killAtShare, 'enough messages before the kill');
  await killPoller(pollers);
  await until(async () => settledShare() >= drainAtShare, 'enough messages before the drain');
  await drainPoller(pollers);
}

async function killPoller(pollers: readonly Poller[]): Promise<void> {
  const [witness, victim] = pollers as [Poller, Poller, Poller];
  const token = (await fleetView(victim))?.poller ?? victim.name;
  const held = await leasesHeld(victim);
  const startedAtMs = performance.now();
  victim.child.signal('SIGKILL');
  screen.act(`SIGKILL to ${victim.name}, which held ${held} slots`);
  await until(async () => {
    const view = await fleetView(witness);
    return view !== undefined && !view.alive.includes(token) && view.isFullyHeld;
  }, `the slots of ${victim.name} to be taken over`);
  screen.act(`the others hold all slots ${secondsSince(startedAtMs)} after the kill`);
}

async function drainPoller(pollers: readonly Poller[]): Promise<void> {
  const leaver = pollers[2]!;
  const startedAtMs = performance.now();
  leaver.child.signal('SIGTERM');
  screen.act(`SIGTERM to ${leaver.name}: it finishes what it holds and hands its slots over`);
  const code = await leaver.child.exited;
  screen.act(`${leaver.name} drained and exited with ${code} after ${secondsSince(startedAtMs)}`);
  if (code !== 0) throw new Error(`${leaver.name} should have exited with 0\n${leaver.child.tail()}`);
}

function report(accounts: readonly Account[], left: number): boolean {
  const isBalanced = accounts.every(balances) && left === 0;
  const sum = (pick: (account: Account) => number): string =>
    accounts.reduce((total, account) => total + pick(account), 0).toLocaleString('en');
  screen.line();
  screen.title(`  RESULT   ${isBalanced ? 'every message accounted for' : 'THE LEDGER DOES NOT BALANCE'}`);
  screen.line(
    `           sent ${sum((a) => a.sent)} = delivered ${sum((a) => a.delivered)} + filtered ${sum((a) => a.filtered)} + dead-lettered ${sum((a) => a.deadLettered)}`,
  );
  const duplicates = accounts.flatMap((account) => account.duplicates);
  screen.line(
    duplicates.length === 0
      ? '           delivered twice: none'
      : `           delivered twice ${duplicates.length} (at-least-once, after the kill): ${listed(duplicates)}`,
  );
  for (const account of accounts) {
    if (account.missing.length > 0) screen.fail(`${account.queue}: ${account.missing.length} missing: ${listed(account.missing)}`);
    if (account.unwanted.length > 0)
      screen.fail(`${account.queue}: ${account.unwanted.length} not stopped by the filter: ${listed(account.unwanted)}`);
    if (account.unknown.length > 0) screen.fail(`${account.queue}: ${account.unknown.length} nobody sent: ${listed(account.unknown)}`);
    if (account.outOfOrder.length > 0) screen.fail(`${account.queue}: out of order: ${listed(account.outOfOrder)}`);
  }
  if (left > 0) screen.fail(`${left} messages are still in the queues`);
  return isBalanced;
}

function secondsSince(startedAtMs: number): string {
  return `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;
}

function listed(ids: readonly string[]): string {
  return ids.length <= 12 ? ids.join(', ') : `${ids.slice(0, 12).join(', ')} … and ${ids.length - 12} more`;
}

async function openLane(queues: Queues, name: string, maxReceiveCount: number, orders: readonly Order[]): Promise<Lane> {
  return { queue: await queues.create(name, visibilitySeconds, maxReceiveCount), ledger: new Ledger(name), orders };
}

async function sendAll(queues: Queues, lane: Lane): Promise<void> {
  for (let index = 0; index < lane.orders.length; index += 10) {
    const batch = lane.orders.slice(index, index + 10);
    for (const order of batch) lane.ledger.sent(order.id, order.group, isWanted(order));
    await queues.send(lane.queue, batch);
    await wait(1000 / batchesPerSecond);
  }
}

async function collectDeadLetters(queues: Queues, lanes: readonly Lane[]): Promise<void> {
  for (const lane of lanes) {
    for (const id of await queues.deadLetters(lane.queue)) lane.ledger.deadLettered(id);
  }
}

async function remaining(queues: Queues, lanes: readonly Lane[]): Promise<number> {
  const counts = await Promise.all(lanes.map((lane) => queues.remaining(lane.queue)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function progressOf(lanes: readonly Lane[], sample: SampleFunction): Progress[] {
  return lanes.map((lane) => {
    const account = lane.ledger.account();
    const notes = lane.queue.isFifo
      ? `${paymentGroups} groups, in order · ${account.filtered} of amount 0 filtered out`
      : `${account.filtered} drafts filtered out · ${account.deadLettered} poison → dead-letter · ${sample.counts.failedInvocations} invocations failed`;
    return {
      name: `${lane.queue.name.replace('.fifo', '')}-queue`,
      kind: lane.queue.isFifo ? 'sqs fifo' : 'sqs',
      done: lane.ledger.settledCount,
      total: lane.orders.filter(isWanted).length,
      note: notes,
    };
  });
}

function failIfDead(pollers: readonly Poller[]): void {
  for (const { name, child } of pollers) {
    if (!child.isStopping && child.process.exitCode !== null)
      throw new Error(`${name} ended by itself (${child.process.exitCode})\n${child.tail()}`);
  }
}

async function totalLeases(pollers: readonly Poller[]): Promise<number> {
  const counts = await Promise.all(pollers.map(leasesHeld));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Asks every 100 ms until the answer is yes. @throws Error naming what was waited for */
async function until(condition: () => Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
  const deadline = AbortSignal.timeout(timeoutMs);
  while (!(await condition())) {
    if (deadline.aborted) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await wait(100);
  }
}

/** What the filters in wherry.yaml let through. */
function isWanted(order: Order): boolean {
  return order.status === undefined ? (order.amount ?? 0) > 0 : order.status === 'placed';
}

function makeOrders(): Order[] {
  return Array.from({ length: orderCount }, (_, index) => ({
    id: `order-${index + 1}`,
    status: (index + 1) % draftEvery === 0 ? 'draft' : 'placed',
    ...((index + 1) % poisonEvery === 13 ? { poison: true } : {}),
  }));
}

function makePayments(): Order[] {
  return Array.from({ length: paymentCount }, (_, index) => ({
    id: `payment-${index + 1}`,
    amount: (index + 1) % freeEvery === 0 ? 0 : 10 + index,
    group: `account-${(index % paymentGroups) + 1}`,
  }));
}

let isInterrupted = false;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (isInterrupted) process.exit(code);
    isInterrupted = true;
    screen.line();
    screen.line('  stopping …');
    void children.stopAll().then(() => process.exit(code));
  });
}

let isBalanced = false;
try {
  isBalanced = await story();
} catch (error) {
  if (!isInterrupted) screen.fail(error instanceof Error ? error.message : String(error));
}
await children.stopAll();
if (!isInterrupted) {
  if (isBalanced) {
    screen.line('  next     edit apps/demo/wherry.yaml · npx wherry validate apps/demo/wherry.yaml · npx wherry init');
    screen.line('           Nothing was left running and nothing was written to disk.');
  }
  process.exit(isBalanced ? 0 : 1);
}
