import { pino } from 'pino';
import { expect, test } from 'vitest';
import { SimClock } from '@wherry/testkit/sim-clock';
import { ClockSkew } from './clock-skew.ts';

test('a clock more than five seconds off is told once, and once when it is right again', async () => {
  const sim = new SimClock();
  let offsetMs = 0;
  const lines: { level: number; msg: string; skewMs: number }[] = [];
  const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const skew = new ClockSkew(sim.clock(), () => Promise.resolve(sim.nowMs() + offsetMs), logger);
  for (offsetMs of [0, 5_000, -5_001, -9_000, 0, 0, 60_000]) await skew.check();
  expect(lines.map(({ level, skewMs, msg }) => [level, skewMs, msg])).toEqual([
    [40, 5_001, 'clock differed from the clock of redis'],
    [30, 0, 'clock agreed with the clock of redis again'],
    [40, -60_000, 'clock differed from the clock of redis'],
  ]);
});

test('a slow answer is no skew, and an absent Redis is none either', async () => {
  const sim = new SimClock();
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => void lines.push(line) });
  const slow = new ClockSkew(
    sim.clock(),
    async () => {
      await sim.sleep(20_000);
      return sim.nowMs();
    },
    logger,
  );
  const checked = slow.check();
  await sim.advance(20_000);
  await checked;
  await new ClockSkew(sim.clock(), () => Promise.reject(new Error('down')), logger).check();
  expect(lines).toEqual([]);
});
