import type { ClickStream } from './click-stream.ts';
import type { Screen } from './screen.ts';
import { fleetView, isFullyHeld, type Poller, type Units } from './stack.ts';
import { until } from './until.ts';

const killAtShare = 0.15;
const splitAtShare = 0.4;
const drainAtShare = 0.65;

/** What the story's disturbances need to know and to tell. */
export interface Disturbed {
  readonly screen: Screen;
  readonly pollers: readonly Poller[];
  readonly clicks: ClickStream;
  /** How much of everything has been delivered or given up, from 0 to 1. */
  readonly settledShare: () => number;
}

/** What happens to the fleet on the way: one poller is killed, a shard is split, and another poller is drained. */
export async function disturb(disturbed: Disturbed): Promise<void> {
  const { pollers, settledShare } = disturbed;
  const splitting = until(() => settledShare() >= splitAtShare, 'enough events before the split', 60_000).then(() => splitShard(disturbed));
  splitting.catch(() => {});
  await until(() => settledShare() >= killAtShare, 'enough events before the kill', 60_000);
  const victim = await withMostShards(pollers);
  const others = pollers.filter((poller) => poller !== victim);
  await killPoller(disturbed, victim, others[0]!);
  await until(() => settledShare() >= drainAtShare, 'enough events before the drain', 60_000);
  await drainPoller(disturbed, await withMostShards(others));
  await splitting;
}

/** A queue is easily handed over; the poller that has more shards makes the better story. */
async function withMostShards(pollers: readonly Poller[]): Promise<Poller> {
  const counts = await Promise.all(pollers.map(async (poller) => (await fleetView(poller))?.here.shards ?? 0));
  return pollers[counts.indexOf(Math.max(...counts))]!;
}

async function killPoller({ screen }: Disturbed, victim: Poller, witness: Poller): Promise<void> {
  const view = await fleetView(victim);
  const startedAtMs = performance.now();
  victim.child.signal('SIGKILL');
  screen.act(`SIGKILL to ${victim.name}, which held ${unitsText(view?.here)}`);
  await until(async () => {
    const seen = await fleetView(witness);
    return seen !== undefined && !seen.alive.includes(view?.poller ?? '') && isFullyHeld(seen);
  }, `what ${victim.name} held to be taken over`);
  screen.act(`the others hold all slots and shards ${secondsSince(startedAtMs)} after the kill`);
}

async function splitShard({ screen, clicks }: Disturbed): Promise<void> {
  const startedAtMs = performance.now();
  const { parent, children } = await clicks.split();
  screen.act(`${parent} of clicks is split in two while records flow`);
  await until(() => clicks.hasSeen(children), `records of ${children.join(' and ')} to arrive`, 60_000);
  screen.act(`both halves are read ${secondsSince(startedAtMs)} after the split, their parent's records done before`);
}

async function drainPoller({ screen }: Disturbed, leaver: Poller): Promise<void> {
  const view = await fleetView(leaver);
  const startedAtMs = performance.now();
  leaver.child.signal('SIGTERM');
  screen.act(`SIGTERM to ${leaver.name}: it finishes what it has and hands ${unitsText(view?.here)} over`);
  const code = await leaver.child.exited;
  screen.act(`${leaver.name} drained and exited with ${code} after ${secondsSince(startedAtMs)}`);
  if (code !== 0) throw new Error(`${leaver.name} should have exited with 0\n${leaver.child.tail()}`);
}

/** For example `4 slots and 1 shard`. */
export function unitsText({ slots, shards }: Units = { slots: 0, shards: 0 }): string {
  return `${slots} slot${slots === 1 ? '' : 's'} and ${shards} shard${shards === 1 ? '' : 's'}`;
}

function secondsSince(startedAtMs: number): string {
  return `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;
}
