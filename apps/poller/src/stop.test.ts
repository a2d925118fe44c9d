import { pino } from 'pino';
import { expect, test } from 'vitest';
import { SimClock } from '@wherry/testkit/sim-clock';
import { Stop } from './stop.ts';

function setup(graceMs = 110_000) {
  const sim = new SimClock();
  const said: string[] = [];
  const logger = pino({}, { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) });
  let exceeded = 0;
  const stop = new Stop({ clock: sim.clock(), logger, graceMs: () => graceMs, graceExceeded: () => exceeded++ });
  const work = Promise.withResolvers<void>();
  const outcome = stop.outcome(work.promise);
  return { sim, said, stop, work, outcome, exceeded: () => exceeded };
}

test('the first signal drains, and the process exits 0 when the work has ended', async () => {
  const { stop, work, outcome, sim, said, exceeded } = setup();
  stop.signalled('SIGTERM');
  expect(stop.signals.drain.aborted).toBe(true);
  await sim.advance(60_000);
  expect(stop.signals.kill.aborted).toBe(false);
  work.resolve();
  expect(await outcome).toBe(0);
  await sim.advance(600_000);
  expect(stop.signals.kill.aborted).toBe(false);
  expect(said).toEqual(['drain started']);
  expect(exceeded()).toBe(0);
});

test('after shutdown.grace the work is killed, which is a warning and still exit 0', async () => {
  const { stop, work, outcome, sim, said, exceeded } = setup(10_000);
  stop.signals.kill.addEventListener('abort', () => work.resolve());
  stop.signalled('SIGINT');
  await sim.advance(9_999);
  expect(stop.signals.kill.aborted).toBe(false);
  await sim.advance(1);
  expect(await outcome).toBe(0);
  expect(exceeded()).toBe(1);
  expect(said).toEqual(['drain started', expect.stringContaining('gave up after shutdown.grace')]);
});

test('work that ignores the kill is left behind after five seconds', async () => {
  const { stop, outcome, sim, said } = setup(10_000);
  stop.signalled('SIGTERM');
  await sim.advance(15_000);
  expect(await outcome).toBe(0);
  expect(said.at(-1)).toBe('process ended with work that did not stop');
});

test.each([
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGTERM', 'SIGINT', 130],
  ['SIGINT', 'SIGINT', 130],
] as const)('%s and then %s ends the process at once with %i', async (first, second, code) => {
  const { stop, outcome, sim } = setup();
  stop.signalled(first);
  await sim.advance(300);
  stop.signalled(second);
  expect(await outcome).toBe(code);
  expect(stop.signals.kill.aborted).toBe(true);
});

test('the same signal again at once is its echo through npx, another one is not', async () => {
  const { stop, outcome, sim } = setup();
  stop.signalled('SIGINT');
  await sim.advance(299);
  stop.signalled('SIGINT');
  expect(stop.signals.kill.aborted).toBe(false);
  stop.signalled('SIGTERM');
  expect(await outcome).toBe(143);
});

test('work that fails hands its error on', async () => {
  const { work, outcome } = setup();
  work.reject(new Error('admin.listen: taken'));
  await expect(outcome).rejects.toThrow('admin.listen: taken');
});
