import { expect, test } from 'vitest';
import { NativeSha256 } from './native-sha256.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('hashes like the example of FIPS 180', async () => {
  const hash = new NativeSha256();
  hash.update('a');
  hash.update(new TextEncoder().encode('bc'));
  expect(hex(await hash.digest())).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('with a secret it is the HMAC of RFC 4231, test case 2', async () => {
  const hash = new NativeSha256('Jefe');
  hash.update('what do ya want for nothing?');
  expect(hex(await hash.digest())).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});

test('reads a view of a larger buffer as that view alone, and begins anew after a reset', async () => {
  const hash = new NativeSha256();
  hash.update('nothing of this stays');
  hash.reset();
  hash.update(new DataView(new TextEncoder().encode('xabcx').buffer, 1, 3));
  expect(hex(await hash.digest())).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
