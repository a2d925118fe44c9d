import { addressDigits } from './cidr.ts';

/**
 * Why a text is no block of addresses for `cidr`; undefined when it is one.
 *
 * A block of one address alone (`/32`, `/128`) is none, as in Event Ruler (https://github.com/aws/event-ruler).
 */
export function cidrFault(text: string): string | undefined {
  const [address = '', bits = '', ...more] = text.split('/');
  if (more.length > 0 || !text.includes('/')) return "Malformed CIDR, one '/' required";
  if (!/^[0-9]+$/.test(bits)) return 'Malformed CIDR, mask bits must be an integer';
  const digits = addressDigits(address);
  if (digits === undefined) return 'Malformed CIDR, an IPv4 or IPv6 address is required';
  const limit = digits.length * 4;
  return Number(bits) < limit ? undefined : `Malformed CIDR, IPv${limit === 32 ? 4 : 6} mask bits must be less than ${limit}`;
}
