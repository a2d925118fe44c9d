/**
 * IP addresses as AWS's Event Ruler reads and compares them (https://github.com/aws/event-ruler, `CIDR.java`): as their hexadecimal
 * digits, 8 of an IPv4 and 32 of an IPv6 address. An IPv4 address written as an IPv6 one (`::ffff:a00:1`) is an IPv4 address; dots
 * inside an IPv6 address are not read.
 */

const IPV6 = /^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/;
/** Longest IPv4 address that is read. With this every number in it stays small. */
const IPV4_LENGTH_MAX = 15;
/** The dot as a digit. */
const DOT = -2;
/** Longer texts are looked at no further: with eight groups of a few leading zeros no address is longer. */
const ADDRESS_LENGTH_MAX = 256;
const IPV4_IN_IPV6 = '00000000000000000000FFFF';

/** The hexadecimal digits of an IP address, undefined if the text is none. Leading zeros do not make a number octal. */
export function addressDigits(text: string): string | undefined {
  const ipv4 = ipv4Number(text);
  if (ipv4 !== -1) return hex(ipv4, 8);
  if (text.length > ADDRESS_LENGTH_MAX) return undefined;
  return IPV6.test(text) ? ipv6Digits(text) : undefined;
}

/**
 * Compiles a block such as `10.0.0.0/24` or `2001:db8::/32` into a test of addresses in text form.
 *
 * Ruler compares digit by digit and stops as soon as the verdict is clear, without a look at the kind of address. So an IPv6 address is
 * inside an IPv4 block if its first 32 bits are, and an IPv4 address inside an IPv6 block if it lies between, but not at, the first 32
 * bits of the block's lowest and highest address. Followed here, since a filter has to let through what Lambda lets through.
 *
 * @param block already found valid
 */
export function compileCidr(block: string): (value: string) => boolean {
  const slash = block.indexOf('/');
  return compileRange(addressDigits(block.slice(0, slash)) ?? '', Number(block.slice(slash + 1)));
}

/** Compiles a single address: true for every way to write it. Undefined if the text is no address. */
export function compileAddress(text: string): ((value: string) => boolean) | undefined {
  const digits = addressDigits(text);
  return digits === undefined ? undefined : compileRange(digits, digits.length * 4);
}

function compileRange(digits: string, fixedBits: number): (value: string) => boolean {
  const low = fill(digits, fixedBits, 0);
  const high = fill(digits, fixedBits, 15);
  const lowest = low.length === 8 ? Number.parseInt(low, 16) : -1;
  const highest = low.length === 8 ? Number.parseInt(high, 16) : -1;
  return (value) => {
    // The usual case, without a text of digits.
    const ipv4 = lowest === -1 ? -1 : ipv4Number(value);
    if (ipv4 !== -1) return ipv4 >= lowest && ipv4 <= highest;
    const address = addressDigits(value);
    if (address === undefined) return false;
    if (address.length < low.length) return address > low.slice(0, address.length) && address < high.slice(0, address.length);
    const head = address.slice(0, low.length);
    return head >= low && head <= high;
  };
}

/** The digits with all bits behind the fixed ones 0 (`filler` 0) or 1 (`filler` 15). */
function fill(digits: string, fixedBits: number, filler: number): string {
  const whole = fixedBits >> 2;
  if (whole >= digits.length) return digits;
  const freeBits = 4 - (fixedBits & 3);
  const mask = (1 << freeBits) - 1;
  const split = (Number.parseInt(digits.charAt(whole), 16) & ~mask) | (filler & mask);
  return (digits.slice(0, whole) + hex(split, 1)).padEnd(digits.length, hex(filler, 1));
}

/** An IPv4 address as a number, -1 if the text is none. */
function ipv4Number(text: string): number {
  if (text.length > IPV4_LENGTH_MAX) return -1;
  let address = 0;
  let dotCount = 0;
  let byte = -1;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      byte = Math.max(byte, 0) * 10 + digit;
      if (byte > 255) return -1;
    } else {
      if (digit !== DOT || byte === -1) return -1;
      address = address * 256 + byte;
      dotCount += 1;
      byte = -1;
    }
  }
  return dotCount === 3 && byte !== -1 ? address * 256 + byte : -1;
}

function ipv6Digits(text: string): string | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  // An empty group gives NaN: a colon too many.
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  if (!numbers.every((number) => number <= 0xff_ff)) return undefined;
  const digits = numbers.map((number) => hex(number, 4)).join('');
  return digits.startsWith(IPV4_IN_IPV6) ? digits.slice(IPV4_IN_IPV6.length) : digits;
}

function hex(number: number, length: number): string {
  return number.toString(16).toUpperCase().padStart(length, '0');
}
