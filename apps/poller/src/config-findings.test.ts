import type { Problem } from '@wherry/config/problem';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logFindings } from './config-findings.ts';

function logged(findings: readonly Partial<Problem>[]): unknown[] {
  const lines: unknown[] = [];
  const formatters = { level: (level: string) => ({ level }) };
  const logger = pino({ base: null, timestamp: false, formatters }, { write: (line) => void lines.push(JSON.parse(line)) });
  const place = { file: 'wherry.yaml', line: 3, column: 5, endColumn: 9, path: 'mappings.orders' };
  logFindings(
    logger,
    findings.map((finding) => ({ severity: 'warning', code: 'no-effect', message: 'has no effect', ...place, ...finding })),
  );
  return lines;
}

const place = { file: 'wherry.yaml', line: 3, column: 5, path: 'mappings.orders' };

test('a warning is logged at warn: somebody should do something about it', () => {
  expect(logged([{ severity: 'warning', code: 'password-in-file', message: 'the password stands in the file' }])).toEqual([
    { level: 'warn', ...place, code: 'password-in-file', warning: 'the password stands in the file', msg: 'configuration has a warning' },
  ]);
});

test('a mere notice is logged at info', () => {
  expect(logged([{ severity: 'notice' }])).toEqual([
    { level: 'info', ...place, code: 'no-effect', notice: 'has no effect', msg: 'configuration has a notice' },
  ]);
});
