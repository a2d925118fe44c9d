import { lookup as resolveName, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressRefusal, type NetworkPolicy } from '@wherry/core/address';

/** How a name is resolved; `dns.lookup` outside tests. */
export type ResolveName = (
  hostname: string,
  options: { readonly all: true; readonly family?: number | 'IPv4' | 'IPv6' },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A name resolved to nothing but addresses that may not be called. */
export class AddressRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AddressRefusedError';
  }
}

/**
 * A `lookup` for sockets that hands on only addresses the policy lets through. The socket connects to what it is given here
 * and never resolves again, so a name that answers differently the second time (DNS rebinding) gains nothing. Addresses
 * written as such never come by: sockets skip the lookup for them, and the caller has judged the URL already.
 */
export function guardedLookup(policy: NetworkPolicy, resolve: ResolveName = resolveName): LookupFunction {
  return (hostname, options, callback) => {
    const family = options.family === undefined ? {} : { family: options.family };
    resolve(hostname, { all: true, ...family }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const open = addresses.filter(({ address }) => addressRefusal(address, policy) === undefined);
      const [first] = open;
      if (first === undefined) callback(new AddressRefusedError(refusalOf(hostname, addresses, policy)), []);
      else if (options.all === true) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}

function refusalOf(hostname: string, addresses: readonly LookupAddress[], policy: NetworkPolicy): string {
  const [first] = addresses;
  const reason = first === undefined ? 'it has no address' : addressRefusal(first.address, policy);
  return `${hostname} cannot be called: ${reason}`;
}
