import { expect, test } from 'vitest';
import { createLogger } from './log.ts';
import type { LoggerOptions } from './log.ts';

function setup(logging: Partial<LoggerOptions['logging']> = {}, isTerminal = false) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const options = {
    logging: { level: 'info', format: 'auto', redact: [], ...logging },
    pid: process.pid,
    fleet: 't1',
    poller: 'p1',
    destination,
    isTerminal,
  } as const;
  return { logger: createLogger(options), lines };
}

test('a line is one JSON object with the level as a word, ISO time and who speaks', () => {
  const { logger, lines } = setup();
  logger.info({ events: 3 }, 'batch invoked');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/\}\n$/);
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'info',
    pid: process.pid,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    fleet: 't1',
    poller: 'p1',
    events: 3,
    msg: 'batch invoked',
  });
});

const FORMATS = [
  { format: 'auto', isTerminal: false, isJson: true },
  { format: 'auto', isTerminal: true, isJson: false },
  { format: 'json', isTerminal: true, isJson: true },
  { format: 'pretty', isTerminal: false, isJson: false },
] as const;

test.each(FORMATS)('format $format, terminal $isTerminal: JSON is $isJson', ({ format, isTerminal, isJson }) => {
  const { logger, lines } = setup({ format }, isTerminal);
  logger.info('ready');
  expect(lines.join('').startsWith('{')).toBe(isJson);
  expect(lines.join('')).toContain('ready');
});

test('secrets and payloads are masked even when somebody logs them', () => {
  const { logger, lines } = setup({ redact: ['record.customerId'] });
  logger.warn({
    redis: { password: 'MARKER' },
    credentials: { secretAccessKey: 'MARKER', sessionToken: 'MARKER' },
    headers: { authorization: 'MARKER', 'x-amz-security-token': 'MARKER' },
    payload: 'MARKER',
    record: { body: 'MARKER', data: 'MARKER', customerId: 'MARKER', messageId: 'kept' },
  });
  expect(lines[0]).not.toContain('MARKER');
  expect(lines[0]).toContain('kept');
});

test('a redact path that cannot be parsed is refused with the name of the setting', () => {
  expect(() => setup({ redact: ['a..b['] })).toThrow(/^logging\.redact: .*a path looks like/);
});

test('an error is told by type, code, message, places and causes, never by its own properties', () => {
  const { logger, lines } = setup();
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', address: '10.0.0.1' });
  logger.error({ err: Object.assign(new Error('outer', { cause }), { request: { body: 'MARKER' } }) }, 'redis lost');
  const { err } = JSON.parse(lines[0]!) as { err: { stack: string; cause: object } };
  expect(err).toMatchObject({ type: 'Error', message: 'outer', cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' } });
  expect(err.stack).toMatch(/^at .*log\.test\.ts/);
  expect(lines[0]).not.toMatch(/MARKER|10\.0\.0\.1/);
});
