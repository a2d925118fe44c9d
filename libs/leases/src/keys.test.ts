import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { Keys } from './keys.ts';

/** The function with which ioredis itself finds a key's slot in a cluster. */
const slotOf: (key: string) => number = createRequire(import.meta.url)('cluster-key-slot');

it('keeps all keys that one script touches in one cluster slot, and spreads partitions over many', () => {
  const keys = new Keys('wherry', 'shop');
  const slots = new Set<number>();
  for (let partition = 0; partition < 64; partition += 1) {
    const slot = slotOf(keys.epochFloor(partition));
    for (const id of ['sqs-1', 'sqs-{2}', '}{']) expect(slotOf(keys.leaseIn(partition, id))).toBe(slot);
    slots.add(slot);
  }
  expect(slots.size).toBeGreaterThan(60);
  const [members, rows] = keys.members();
  expect(slotOf(members)).toBe(slotOf(rows));
  expect(slotOf(keys.permit('f', 'mapping:a'))).toBe(slotOf(keys.permit('f', 'function:{b}')));
  expect(slotOf(keys.gate('a'))).toBe(slotOf(keys.gate('b')));
  expect(slotOf(keys.scale('a'))).toBe(slotOf(keys.scale('b')));
});

it('names keys as documented', () => {
  const keys = new Keys('wherry', 'shop');
  expect(keys.leaseIn(7, 'sqs-1')).toBe('{wherry:shop:7}:lease:sqs-1');
  expect(keys.lease('sqs-1')).toMatch(/^\{wherry:shop:\d+\}:lease:sqs-1$/);
});

it.each([
  ['a}', 'shop'],
  ['wherry', '{shop'],
])('refuses prefix %s with fleet %s, which would break the hash tag', (prefix, fleet) => {
  expect(() => new Keys(prefix, fleet)).toThrow(/must not contain/);
});
