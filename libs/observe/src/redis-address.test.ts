import { expect, test } from 'vitest';
import { redisAddress } from './redis-address.ts';

test.each([
  ['a plain URL', { url: 'redis://10.0.0.7:6379' }, 'redis://10.0.0.7:6379'],
  ['a URL with a password and options', { url: 'rediss://me:secret@cache:6380/2?x=secret' }, 'rediss://cache:6380/2'],
  ['a cluster', { cluster: ['n1:7000', 'redis://:secret@n2:7001', 'me:secret@n3:7002'] }, 'n1:7000, redis://n2:7001, n3:7002'],
  ['a sentinel group', { sentinel: { name: 'main', nodes: ['s1:26379', 's2'] } }, 'sentinel main at s1:26379, s2'],
  ['something that is no URL', { url: 'redis://secret@:x:y' }, 'an address that is no URL'],
])('%s is named without its secrets', (_, settings, expected) => {
  expect(redisAddress({ keyPrefix: 'wherry', password: 'secret', ...settings })).toBe(expected);
});
