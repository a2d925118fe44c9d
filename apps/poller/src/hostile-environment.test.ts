import { expect, test } from 'vitest';
import { hostileEnvironment } from './hostile-environment.ts';

const REFUSED: readonly (readonly [Record<string, string>, RegExp])[] = [
  [{ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, /^NODE_TLS_REJECT_UNAUTHORIZED=0 .*NODE_EXTRA_CA_CERTS/],
  [{ NODE_OPTIONS: '--inspect' }, /^NODE_OPTIONS has --inspect: .*inspector/],
  [{ NODE_OPTIONS: '--max-old-space-size=300 --inspect=0.0.0.0:9229' }, /^NODE_OPTIONS has --inspect=0\.0\.0\.0:9229/],
  [{ NODE_OPTIONS: '--inspect-brk' }, /--inspect-brk/],
  [{ NODE_OPTIONS: '"--inspect-wait"' }, /--inspect-wait/],
  [{ NODE_OPTIONS: '--heapsnapshot-signal=SIGUSR2' }, /heap snapshot/],
  [{ NODE_OPTIONS: '--heapsnapshot-near-heap-limit=1' }, /heap snapshot/],
  [{ NODE_OPTIONS: '--heap-prof' }, /heap profile/],
  [{ NODE_OPTIONS: '--report-on-signal' }, /diagnostic report/],
  [{ NODE_OPTIONS: '--report_on_fatalerror' }, /diagnostic report/],
  [{ NODE_OPTIONS: '--report-uncaught-exception' }, /diagnostic report/],
  [{ NODE_OPTIONS: '--abort-on-uncaught-exception' }, /core dump/],
  [{ NODE_OPTIONS: '--tls-keylog=/keys' }, /TLS keys/],
  [{ NODE_OPTIONS: '--tls-min-v1.0' }, /TLS below 1\.2/],
  [{ NODE_OPTIONS: '--insecure-http-parser' }, /smuggled/],
];

test.each(REFUSED)('%o is refused, and the variable is named', (env, expected) => {
  expect(hostileEnvironment(env, [])).toEqual([expect.stringMatching(expected)]);
});

test.each([
  {},
  { NODE_TLS_REJECT_UNAUTHORIZED: '1' },
  { NODE_TLS_REJECT_UNAUTHORIZED: '' },
  { NODE_OPTIONS: '' },
  { NODE_OPTIONS: '--max-old-space-size=300 --disable-sigusr1 --tls-min-v1.3 --require "/app/--inspect.js"' },
  { NODE_EXTRA_CA_CERTS: '/etc/ca.pem' },
])('%o is accepted', (env) => {
  expect(hostileEnvironment(env, ['--enable-source-maps'])).toEqual([]);
});

test('options on the command line of node count too, and all findings come at once', () => {
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_OPTIONS: '--inspect --heap-prof' };
  expect(hostileEnvironment(env, ['--inspect-brk'])).toEqual([
    expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED'),
    expect.stringContaining('NODE_OPTIONS has --inspect'),
    expect.stringContaining('NODE_OPTIONS has --heap-prof'),
    expect.stringContaining('the command line of node has --inspect-brk'),
  ]);
});
