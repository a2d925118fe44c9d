/** Why a text is no block of addresses for `cidr`; undefined when it is one. */
export function cidrFault(text: string): string | undefined {
  const [address = '', bits = '', ...more] = text.split('/');
  if (more.length > 0 || !text.includes('/')) return "Malformed CIDR, one '/' required";
  if (!/^[0-9]+$/.test(bits)) return 'Malformed CIDR, mask bits must be an integer';
  if (isIpv4(address)) return Number(bits) < 32 ? undefined : 'Malformed CIDR, IPv4 mask bits must be less than 32';
  if (isIpv6(address)) return Number(bits) < 128 ? undefined : 'Malformed CIDR, IPv6 mask bits must be less than 128';
  return `Malformed CIDR, ${address} is not an IP address`;
}

function isIpv4(address: string): boolean {
  const parts = address.split('.');
  return parts.length === 4 && parts.every((part) => /^[0-9]+$/.test(part) && Number(part) < 256);
}

function isIpv6(address: string): boolean {
  const [head = '', tail, ...more] = address.split('::');
  if (more.length > 0) return false;
  const groups = [head, tail ?? ''].flatMap((half) => (half === '' ? [] : half.split(':')));
  const isComplete = tail === undefined ? groups.length === 8 : groups.length < 8;
  return isComplete && groups.every((group) => /^[0-9a-fA-F]+$/.test(group) && Number.parseInt(group, 16) <= 0xff_ff);
}
