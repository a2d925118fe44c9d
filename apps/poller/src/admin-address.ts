import { hostname, networkInterfaces } from 'node:os';

/** Where a listener binds. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9401`, `[::]:9401`, `localhost:0`; the configuration has checked the form. */
export function parseListen(listen: string): ListenAddress {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}

/**
 * The URL under which others reach a listener. One that listens on every address is reached at this machine's first outside address;
 * in a container network that is the container's own.
 *
 * @param interfaces replaces the machine's own network interfaces
 */
export function reachableUrl(
  { host, port }: ListenAddress,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string {
  const isAny = host === '0.0.0.0' || host === '::';
  const outside = Object.values(interfaces).flatMap((found) => (found ?? []).filter((address) => !address.internal));
  const address = isAny ? (outside.find(({ family }) => family === 'IPv4') ?? outside[0])?.address : host;
  return urlOf({ host: address ?? hostname(), port });
}

/** `http://host:port`, IPv6 addresses in brackets. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
