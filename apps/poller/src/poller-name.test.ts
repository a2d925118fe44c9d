import { expect, test } from 'vitest';
import { pollerIdentity } from './poller-name.ts';

const ONE = '0b7e21c4-2222-4222-8222-222222222222';
const OTHER = '9f03aa17-3333-4333-8333-333333333333';

test('two pollers on one machine have different names without any setting', () => {
  expect(pollerIdentity(undefined, 'web-7', ONE).name).toBe('web-7-0b7e21');
  expect(pollerIdentity('', 'web-7', OTHER).name).toBe('web-7-9f03aa');
});

test('a given name stays as it is', () => {
  expect(pollerIdentity('blue', 'web-7', ONE)).toEqual({ name: 'blue', token: `blue-${ONE}` });
});

test.each([
  ['a host name', undefined, 'web-7'],
  ['a long host name', undefined, 'h'.repeat(200)],
  ['a host without a name', undefined, ''],
  ['a given name', 'blue', 'web-7'],
  ['a given name with strange characters', 'blue/green pod\n', 'web-7'],
])('%s: the token begins with the name, is unique, and both are fit for keys', (_, given, host) => {
  const { name, token } = pollerIdentity(given, host, ONE);
  expect(token.startsWith(name)).toBe(true);
  expect(token.endsWith(ONE)).toBe(true);
  expect(name).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
});
