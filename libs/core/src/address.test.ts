import { describe, expect, it } from 'vitest';
import { addressRefusal, classifyAddress, isAddressRange, urlRefusal } from './address.ts';

const OPEN = { blockPrivate: false, allow: [] };
const CLOSED = { blockPrivate: true, allow: [] };

describe('classifyAddress', () => {
  const cases: readonly (readonly [string, ReturnType<typeof classifyAddress>])[] = [
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['169.254.170.23', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['[fd00:ec2::254]', 'metadata'],
    ['fd00:0ec2:0:0:0:0:0:23', 'metadata'],
    ['fd20:ce::254', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['100.100.100.200', 'metadata'],
    // The same address in every spelling that a resolver takes.
    ['2852039166', 'metadata'],
    ['0xa9fea9fe', 'metadata'],
    ['0xA9.0xFE.0xA9.0xFE', 'metadata'],
    ['0251.0376.0251.0376', 'metadata'],
    ['025177524776', 'metadata'],
    ['169.254.43518', 'metadata'],
    ['169.16689662', 'metadata'],
    ['169.254.169.254.', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['::FFFF:A9FE:A9FE', 'metadata'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'metadata'],
    ['::169.254.169.254', 'metadata'],
    ['::ffff:0:169.254.169.254', 'metadata'],
    ['64:ff9b::169.254.169.254', 'metadata'],
    ['2002:a9fe:a9fe::1', 'metadata'],
    ['169.254.0.1', 'linkLocal'],
    ['169.254.170.3', 'linkLocal'],
    ['fe80::1', 'linkLocal'],
    ['fe80::1%eth0', 'linkLocal'],
    ['[febf::1]', 'linkLocal'],
    ['127.0.0.1', 'loopback'],
    ['127.1', 'loopback'],
    ['2130706433', 'loopback'],
    ['0x7f.1', 'loopback'],
    ['0177.0.0.1', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['0', 'loopback'],
    ['0x', 'loopback'],
    ['::', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['localhost', 'loopback'],
    ['LOCALHOST.', 'loopback'],
    ['orders.localhost', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['198.18.0.1', 'private'],
    ['224.0.0.1', 'private'],
    ['255.255.255.255', 'private'],
    ['fd12::1', 'private'],
    ['ff02::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['8.8.8.8', 'public'],
    ['172.32.0.1', 'public'],
    ['100.128.0.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['orders.internal', undefined],
    ['256.1.1.1', undefined],
    ['1.2.3.4.5', undefined],
    ['1..2', undefined],
    ['089.1.1.1', undefined],
    ['4294967296', undefined],
    ['1:2:3', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7::8', undefined],
    ['1:2:3:4:5:6:7::', 'public'],
    ['1:2:3:4:5:6:7:8', 'public'],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['::300.1.1.1', undefined],
    ['mylocalhost', undefined],
    ['', undefined],
  ];
  it.each(cases)('%s is %s', (host, kind) => {
    expect(classifyAddress(host)).toBe(kind);
  });
});

describe('addressRefusal', () => {
  it.each(['169.254.169.254', 'fe80::1', '::ffff:a9fe:a9fe', '2852039166'])('always refuses %s, also when its range is allowed', (host) => {
    const policy = { blockPrivate: true, allow: ['0.0.0.0/0', '::/0'] };
    expect(addressRefusal(host, OPEN)).toMatch(/never called/);
    expect(addressRefusal(host, policy)).toMatch(/never called/);
  });

  it.each(['127.0.0.1', '10.0.0.1', 'localhost', '::1', 'fd12::1'])('lets %s through unless private addresses are blocked', (host) => {
    expect(addressRefusal(host, OPEN)).toBeUndefined();
    expect(addressRefusal(host, CLOSED)).toMatch(/network\.blockPrivate is set/);
  });

  it('leaves allowed ranges open under blockPrivate, in every spelling', () => {
    const policy = { blockPrivate: true, allow: ['10.20.0.0/16', 'fd12:3456::/32', '127.0.0.0/8'] };
    for (const host of ['10.20.3.4', '::ffff:10.20.3.4', '[fd12:3456::7]', 'localhost', '127.1']) {
      expect(addressRefusal(host, policy), host).toBeUndefined();
    }
    for (const host of ['10.21.0.1', 'fd12:3457::1', '192.168.0.1']) expect(addressRefusal(host, policy), host).toMatch(/add its range/);
  });

  it('leaves names and public addresses alone', () => {
    for (const host of ['orders.internal', '8.8.8.8', '2606:4700::1']) expect(addressRefusal(host, CLOSED)).toBeUndefined();
  });
});

describe('urlRefusal', () => {
  it.each([
    ['ftp://host/x', /only http and https/],
    ['file:///etc/passwd', /only http and https/],
    ['http://user:secret@host/', /user or password/],
    ['http://169.254.169.254/latest/meta-data/', /metadata/],
    ['http://0xa9fea9fe/', /metadata/],
    ['http://[::ffff:169.254.169.254]:80/', /metadata/],
    ['http://[fe80::1]/', /link-local/],
    ['not a url', /not a URL/],
  ])('refuses %s', (url, reason) => {
    expect(urlRefusal(url, OPEN)).toMatch(reason);
  });

  it('never repeats a password', () => {
    expect(urlRefusal('http://user:hunter2@host/', OPEN)).not.toContain('hunter2');
  });

  it('accepts http and https on names, public and (unless blocked) private addresses', () => {
    for (const url of ['http://localhost:8080/x', 'https://orders.internal/e', 'http://10.0.0.1/', 'https://8.8.8.8/']) {
      expect(urlRefusal(url, OPEN), url).toBeUndefined();
    }
    expect(urlRefusal('http://10.0.0.1/', CLOSED)).toMatch(/blockPrivate/);
  });
});

describe('isAddressRange', () => {
  it.each(['10.0.0.0/8', '0.0.0.0/0', '192.168.1.1/32', 'fd00::/8', '::/0', '::1/128'])('takes %s', (text) => {
    expect(isAddressRange(text)).toBe(true);
  });
  it.each(['10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10.0.0.0/x', 'host/8', '/8', '', '10.0.0.0/-1'])('refuses %s', (text) => {
    expect(isAddressRange(text)).toBe(false);
  });
});
