import { describe, expect, it } from 'vitest';
import { addressDigits, compileCidr } from './cidr.ts';

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '0A000001'],
    ['010.000.00.1', '0A000001'],
    ['0000000000000.0.0.1', undefined],
    ['10.0.0.256', undefined],
    ['10.0.1', undefined],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:DB8::a', '20010DB800000000000000000000000A'],
    ['00001::', `0001${'0'.repeat(28)}`],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:a00:1', '0A000001'],
    ['::ffff:10.0.0.1', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7:8::', undefined],
    [':1:2:3:4:5:6:7', undefined],
    ['1::2::3', undefined],
    [':', undefined],
    [':::', undefined],
    ['12345::', undefined],
    ['localhost', undefined],
    ['', undefined],
    [`${'0'.repeat(1000)}::`, undefined],
  ])('%s', (text, digits) => {
    expect(addressDigits(text)).toBe(digits);
  });
});

describe('blocks', () => {
  it.each([
    ['10.0.0.0/24', '10.0.0.0', true],
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['10.0.0.0/24', '10.0.0.256', false],
    ['10.0.0.77/30', '10.0.0.79', true],
    ['10.0.0.77/30', '10.0.0.80', false],
    ['10.0.0.0/9', '10.127.255.255', true],
    ['10.0.0.0/9', '10.128.0.0', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['10.0.0.0/24', '::ffff:0a00:0001', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::/0', 'ffff::', true],
    // Digit by digit, whatever the kind of address.
    ['10.0.0.0/8', '0a00::1', true],
    ['::/0', '10.0.0.1', true],
    ['::/0', '0.0.0.0', false],
    ['2001:db8::/32', '32.1.13.184', false],
  ])('%s and %s: %s', (block, address, isInside) => {
    expect(compileCidr(block)(address)).toBe(isInside);
  });
});
