import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { CRASHED, guardProcess } from './process-guard.ts';

test.each(['uncaughtException', 'unhandledRejection'] as const)('%s is logged at fatal and ends the process with 70', (event) => {
  const target = new EventEmitter();
  const lines: { level: number; msg: string }[] = [];
  const codes: number[] = [];
  const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }) });
  const release = guardProcess(target, logger, (code) => {
    codes.push(code);
  });
  target.emit(event, new Error('out of nowhere'));
  expect(lines).toMatchObject([{ level: 60, msg: 'process crashed' }]);
  expect(codes).toEqual([CRASHED]);
  release();
  expect(target.listenerCount(event)).toBe(0);
});
