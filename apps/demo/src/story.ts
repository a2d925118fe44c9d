import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { CartTable } from './cart-table.ts';
import type { Children } from './children.ts';
import { ClickStream } from './click-stream.ts';
import { disturb, unitsText } from './disturbance.ts';
import { startDynamoDb, startKinesis, startSqs } from './emulators.ts';
import { wantedCount, type Lane } from './lane.ts';
import { ownFleet } from './own-fleet.ts';
import { openOrders, openPayments } from './queue-lanes.ts';
import { Queues } from './queues.ts';
import { report } from './report.ts';
import { SampleFunction } from './sample-function.ts';
import type { Screen } from './screen.ts';
import { fleetView, isFullyHeld, isReady, startPoller, startRedis, type Poller } from './stack.ts';
import { until } from './until.ts';

const sendingMs = 16_000;
/** Far more than the story takes; a fleet that hangs shall not hang the demo. */
const storyMs = 120_000;
const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** Everything that runs while the story is told. */
interface Stage {
  readonly screen: Screen;
  readonly lanes: readonly Lane[];
  readonly clicks: ClickStream;
  readonly sample: SampleFunction;
  readonly pollers: readonly Poller[];
}

/**
 * The story behind `npm start`: three poller processes carry two queues, a stream and a table to a function that sometimes fails;
 * one poller is killed, a shard is split and one poller is drained on the way, and at the end everything that was sent must be
 * accounted for.
 *
 * @returns true if the ledger balances
 */
export async function tell(screen: Screen, children: Children): Promise<boolean> {
  screen.title(`wherry ${version} · demo fleet · Node ${process.versions.node}`);
  const startingKinesis = startKinesis(children);
  const startingDynamoDb = startDynamoDb(children);
  for (const starting of [startingKinesis, startingDynamoDb]) starting.catch(() => {});
  const redis = await startRedis(children);
  screen.done(redis.what);
  const sqs = await startSqs(children);
  screen.done(`SQS emulator on ${place(sqs)}`);
  const queues = new Queues(sqs);
  const kinesis = await startingKinesis;
  const clicks = await ClickStream.create(kinesis, queues);
  screen.done(`Kinesis emulator on ${place(kinesis)}`);
  const dynamoDb = await startingDynamoDb;
  const carts = 'missing' in dynamoDb ? undefined : await CartTable.create(dynamoDb.endpoint);
  if ('missing' in dynamoDb) screen.leftOut(`the table is left out: ${dynamoDb.missing}`);
  else screen.done(`DynamoDB Local on ${place(dynamoDb.endpoint)}`);
  const lanes = [await openOrders(queues), await openPayments(queues), clicks.lane(), ...(carts === undefined ? [] : [carts.lane()])];
  const sample = new SampleFunction(Math.random, ({ path, acknowledged, shardIds }) => {
    const ledger = lanes.find((lane) => lane.path === path)?.ledger;
    for (const id of acknowledged) ledger?.acknowledged(id);
    if (path === '/clicks') for (const shardId of shardIds) clicks.seen(shardId);
  });
  try {
    const functionUrl = await sample.listen();
    screen.done(`sample function on ${place(functionUrl)} (fails on purpose now and then)`);
    const pollers = await startFleet(screen, children, {
      DEMO_FLEET: ownFleet,
      DEMO_REDIS_URL: redis.url,
      DEMO_SQS_ENDPOINT: sqs,
      DEMO_KINESIS_ENDPOINT: kinesis,
      DEMO_FUNCTION_URL: functionUrl,
      DEMO_TABLE: String(carts !== undefined),
      ...('missing' in dynamoDb ? {} : { DEMO_DYNAMODB_ENDPOINT: dynamoDb.endpoint }),
      ...(carts === undefined ? {} : { DEMO_TABLE_STREAM: carts.streamArn }),
    });
    return await carry({ screen, lanes, clicks, sample, pollers });
  } finally {
    sample.close();
    for (const client of [queues, clicks, carts]) client?.close();
  }
}

async function startFleet(screen: Screen, children: Children, env: Readonly<Record<string, string>>): Promise<Poller[]> {
  const shardCount = env['DEMO_TABLE'] === 'true' ? 3 : 2;
  const pollers = await Promise.all(['poller-1', 'poller-2', 'poller-3'].map((name) => startPoller(children, name, env)));
  await until(async () => (await Promise.all(pollers.map(isReady))).every(Boolean), 'the pollers to be ready');
  await until(async () => {
    const view = await fleetView(pollers[0]!);
    return view !== undefined && view.held.slots >= 10 && view.held.shards >= shardCount && isFullyHeld(view);
  }, 'the first slots and shards to be leased');
  const views = await Promise.all(pollers.map(fleetView));
  const counts = views.map((view) => (view?.here.slots ?? 0) + (view?.here.shards ?? 0));
  screen.done(`3 pollers up, ${unitsText(views[0]?.held)} leased (${counts.join('+')})`);
  screen.line();
  return pollers;
}

async function carry({ screen, lanes, clicks, sample, pollers }: Stage): Promise<boolean> {
  const sizes = lanes.map((lane) => `${countOf(lane).toLocaleString('en')} to ${lane.name}`);
  screen.line(`  sending ${sizes.join(' · ')}`);
  screen.line();
  const deadline = AbortSignal.timeout(storyMs);
  const wanted = new Map(lanes.map((lane) => [lane, wantedCount(lane)]));
  const total = [...wanted.values()].reduce((sum, count) => sum + count, 0);
  const settled = (): number => lanes.reduce((sum, lane) => sum + lane.ledger.settledCount, 0);
  const working = Promise.all([...lanes.map(sendAll), disturb({ screen, pollers, clicks, settledShare: () => settled() / total })]);
  let fault: unknown;
  working.catch((error: unknown) => {
    fault = error;
  });
  for (let isOver = false; !isOver;) {
    if (fault !== undefined) throw fault;
    await collectGivenUp(lanes);
    failIfDead(pollers);
    isOver = settled() === total || deadline.aborted;
    const rows = lanes.map((lane) => ({
      name: lane.name,
      kind: lane.kind,
      done: lane.ledger.settledCount,
      total: wanted.get(lane) ?? 0,
      note: lane.note(lane.ledger.account(), sample),
    }));
    screen.progress(rows, isOver);
    if (!isOver) await wait(200);
  }
  await working;
  await until(async () => (await remaining(lanes)) === 0, 'the queues to be empty', 10_000).catch((error: Error) =>
    screen.fail(error.message),
  );
  return report(screen, lanes, await remaining(lanes));
}

/** Sends all that the lane has, evenly over the time that every lane takes. */
async function sendAll(lane: Lane): Promise<void> {
  for (const { entries, send } of lane.shipments) {
    for (const { id, group, isWanted } of entries) lane.ledger.sent(id, group, isWanted);
    await send();
    await wait(sendingMs / lane.shipments.length);
  }
}

async function collectGivenUp(lanes: readonly Lane[]): Promise<void> {
  for (const lane of lanes) {
    for (const id of await lane.givenUp()) lane.ledger.deadLettered(id);
  }
}

async function remaining(lanes: readonly Lane[]): Promise<number> {
  const counts = await Promise.all(lanes.map((lane) => lane.remaining()));
  return counts.reduce((sum, count) => sum + count, 0);
}

function failIfDead(pollers: readonly Poller[]): void {
  for (const { name, child } of pollers) {
    if (!child.isStopping && child.process.exitCode !== null)
      throw new Error(`${name} ended by itself (${child.process.exitCode})\n${child.tail()}`);
  }
}

function countOf(lane: Lane): number {
  return lane.shipments.reduce((sum, { entries }) => sum + entries.length, 0);
}

function place(url: string): string {
  return url.replace('http://', '');
}
