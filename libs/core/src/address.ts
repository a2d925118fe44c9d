/**
 * Where a call may go. Configuration is hostile input as soon as several teams share a fleet: a target that names the
 * metadata service of the cloud would hand its credentials to whoever reads the answer. The same functions are asked when
 * the configuration is loaded (for the host as it is written) and at every connect (for each address it resolved to).
 */

/**
 * What an address is good for.
 *
 * - `metadata`, `linkLocal`: never called, whatever the configuration says.
 * - `loopback`, `private`: called unless `network.blockPrivate` is set; `private` includes every reserved range.
 * - `public`: everything else.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'linkLocal' | 'metadata';

/** The `network:` block of the configuration. */
export interface NetworkPolicy {
  readonly blockPrivate: boolean;
  /** Ranges such as `10.20.0.0/16` that `blockPrivate` leaves open. They never open link-local or metadata addresses. */
  readonly allow: readonly string[];
}

/** An address as a number, `bits` wide: 32 for IPv4, 128 for IPv6. */
interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A range of addresses in CIDR notation, read. */
interface Range {
  readonly network: Address;
  readonly prefix: number;
}

/**
 * The special ranges, first match wins. From the IANA special-purpose registries
 * (https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry), with the metadata
 * addresses of the large clouds in front because some of them lie in public or unique-local space:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (169.254.169.254, fd00:ec2::254),
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html (169.254.170.2),
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html (169.254.170.23, fd00:ec2::23).
 */
const SPECIAL_RANGES: readonly (readonly [Range, AddressKind])[] = (
  [
    ['169.254.169.254/32', 'metadata'],
    ['169.254.170.2/32', 'metadata'],
    ['169.254.170.23/32', 'metadata'],
    ['fd00:ec2::/32', 'metadata'],
    // Google Cloud, Azure and Alibaba Cloud.
    ['fd20:ce::254/128', 'metadata'],
    ['168.63.129.16/32', 'metadata'],
    ['100.100.100.200/32', 'metadata'],
    ['169.254.0.0/16', 'linkLocal'],
    ['fe80::/10', 'linkLocal'],
    ['127.0.0.0/8', 'loopback'],
    ['::1/128', 'loopback'],
    // "Any address": connecting to it reaches this host.
    ['0.0.0.0/32', 'loopback'],
    ['::/128', 'loopback'],
    ['0.0.0.0/8', 'private'],
    ['10.0.0.0/8', 'private'],
    ['100.64.0.0/10', 'private'],
    ['172.16.0.0/12', 'private'],
    ['192.0.0.0/24', 'private'],
    ['192.0.2.0/24', 'private'],
    ['192.168.0.0/16', 'private'],
    ['198.18.0.0/15', 'private'],
    ['198.51.100.0/24', 'private'],
    ['203.0.113.0/24', 'private'],
    ['224.0.0.0/3', 'private'],
    ['64:ff9b:1::/48', 'private'],
    ['100::/64', 'private'],
    ['2001::/23', 'private'],
    ['2001:db8::/32', 'private'],
    ['fc00::/7', 'private'],
    ['fec0::/10', 'private'],
    ['ff00::/8', 'private'],
  ] as const
).map(([cidr, kind]) => [parseRange(cidr)!, kind] as const);

/** IPv6 ranges that carry an IPv4 address, which is where the packet ends up, and how far from the right its last bit stands. */
const EMBEDDED_IPV4: readonly (readonly [Range, bigint])[] = [
  [parseRange('::ffff:0:0/96')!, 0n], // IPv4-mapped
  [parseRange('::ffff:0:0:0/96')!, 0n], // IPv4-translated
  [parseRange('64:ff9b::/96')!, 0n], // NAT64
  [parseRange('2002::/16')!, 80n], // 6to4
  [parseRange('::/96')!, 0n], // IPv4-compatible; `::` and `::1` are looked at before
];

/**
 * Says what kind of address `host` is.
 *
 * @param host as it stands in a URL or comes from a resolver: IPv4 in any spelling that resolvers take (`127.1`,
 *   `2130706433`, `0x7f.1`, `0177.0.0.1`), IPv6 with or without brackets and zone, or a name
 * @returns undefined for a name, which can only be judged once it is resolved; `localhost` counts as loopback
 */
export function classifyAddress(host: string): AddressKind | undefined {
  const name = bareHost(host);
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  const address = parseAddress(name);
  return address === undefined ? undefined : kindOf(address);
}

/**
 * Why `host` may not be called, or undefined when it may (or is a name, to be judged once it is resolved).
 *
 * @returns a reason for people, such as `169.254.169.254 is a metadata address`
 */
export function addressRefusal(host: string, policy: NetworkPolicy): string | undefined {
  const kind = classifyAddress(host);
  if (kind === 'metadata') return `${host} is the address of a cloud metadata service, which is never called`;
  if (kind === 'linkLocal') return `${host} is a link-local address, which is never called`;
  if (kind === undefined || kind === 'public' || !policy.blockPrivate || isAllowed(bareHost(host), policy.allow)) return undefined;
  return `${host} is a ${kind} address, and network.blockPrivate is set; add its range to network.allow to call it`;
}

/**
 * Why `url` may not be called, or undefined when it may as far as can be told without resolving its host: only http and
 * https, no user or password in the URL, no address that `addressRefusal` refuses.
 */
export function urlRefusal(url: string, policy: NetworkPolicy): string | undefined {
  // What stands before an @ or behind a ? may be a secret.
  if (!URL.canParse(url)) return `${/[@?]/.test(url) ? 'this' : `'${url}'`} is not a URL`;
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return `'${parsed.protocol.slice(0, -1)}' URLs cannot be called, only http and https`;
  }
  if (parsed.username !== '' || parsed.password !== '') return 'a user or password in a URL is refused; use a header instead';
  return addressRefusal(parsed.hostname, policy);
}

/** Whether `text` is a range that `network.allow` takes: an IPv4 or IPv6 network with a prefix length, such as `10.0.0.0/8`. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== undefined;
}

function isAllowed(host: string, allow: readonly string[]): boolean {
  // `localhost` by name is judged at load only; at connect it is the resolved address that counts.
  const addresses = host.endsWith('localhost') ? ['127.0.0.1', '::1'] : [host];
  return addresses.some((text) => {
    const address = parseAddress(text);
    return address !== undefined && allow.some((cidr) => inRange(embeddedIpv4(address), parseRange(cidr)));
  });
}

function kindOf(address: Address): AddressKind {
  const target = embeddedIpv4(address);
  return SPECIAL_RANGES.find(([range]) => inRange(target, range))?.[1] ?? 'public';
}

/** The IPv4 address inside an IPv6 one where there is one, else the address itself. */
function embeddedIpv4(address: Address): Address {
  if (address.bits === 32 || address.value <= 1n) return address;
  const found = EMBEDDED_IPV4.find(([range]) => inRange(address, range));
  return found === undefined ? address : { bits: 32, value: (address.value >> found[1]) & 0xffff_ffffn };
}

function inRange(address: Address, range: Range | undefined): boolean {
  if (range === undefined || range.network.bits !== address.bits) return false;
  const shift = BigInt(address.bits - range.prefix);
  return address.value >> shift === range.network.value >> shift;
}

/** Lower case, without brackets, IPv6 zone and the root's dot. */
function bareHost(host: string): string {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name.replace(/%.*$/, '').replace(/\.$/, '');
}

function parseRange(text: string): Range | undefined {
  const slash = text.lastIndexOf('/');
  const network = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (network === undefined || !/^\d{1,3}$/.test(prefixText) || Number(prefixText) > network.bits) return undefined;
  return { network, prefix: Number(prefixText) };
}

function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** As `inet_aton` reads it: one to four numbers, decimal, octal or hexadecimal; the last one fills the bytes that are left. */
function parseIpv4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length > 4) return undefined;
  let value = 0n;
  for (const [index, part] of parts.entries()) {
    const number = parseNumber(part);
    if (number === undefined) return undefined;
    const bytes = index === parts.length - 1 ? 5 - parts.length : 1;
    if (number >= 1n << BigInt(8 * bytes)) return undefined;
    value = (value << BigInt(8 * bytes)) | number;
  }
  return { bits: 32, value };
}

function parseNumber(text: string): bigint | undefined {
  if (/^0x[0-9a-f]{0,16}$/i.test(text)) return text.length === 2 ? 0n : BigInt(text.toLowerCase());
  if (/^0[0-7]{0,21}$/.test(text)) return text === '0' ? 0n : BigInt(`0o${text.slice(1)}`);
  return /^[1-9]\d{0,19}$/.test(text) ? BigInt(text) : undefined;
}

function parseIpv6(text: string): Address | undefined {
  // A dotted tail stands for the last two groups.
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text);
  const tail = dotted === null ? undefined : parseIpv4(dotted[2]!);
  if (dotted !== null && tail === undefined) return undefined;
  const groupsText = tail === undefined ? text : `${dotted![1]}${(tail.value >> 16n).toString(16)}:${(tail.value & 0xffffn).toString(16)}`;
  const halves = groupsText.split('::');
  if (halves.length > 2) return undefined;
  const [head, rest] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head!.length - (rest?.length ?? 0);
  if (rest === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head!, ...Array.from({ length: rest === undefined ? 0 : missing }, () => '0'), ...(rest ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return { bits: 128, value: groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) };
}
