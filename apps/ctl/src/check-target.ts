import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { FunctionDefinition, Target } from '@wherry/core/mapping';
import type { OnlineFinding } from './online-finding.ts';

const CONNECT_TIMEOUT_MS = 3_000;

/** Whether something accepts connections where a function is said to run. Nothing is sent and no function is invoked. */
export async function checkTarget(definition: FunctionDefinition): Promise<OnlineFinding[]> {
  const places = addressesOf(definition.target);
  const found = await Promise.all(places.map((place) => checkAddress(definition.name, place)));
  return found.flat();
}

interface Address {
  readonly url: URL;
  readonly path: readonly string[];
  readonly isLambda: boolean;
}

function addressesOf(target: Target): Address[] {
  switch (target.kind) {
    case 'http':
      return [{ url: new URL(target.url), path: ['http', 'url'], isLambda: false }];
    case 'rie':
      return target.urls.map((url, index) => ({
        url: new URL(url),
        path: target.urls.length === 1 ? ['rie', 'url'] : ['rie', 'urls', String(index)],
        isLambda: false,
      }));
    case 'lambda': {
      const { endpoint, region } = target.aws;
      const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
      return [{ url: new URL(endpoint ?? `https://lambda.${region}.${suffix}`), path: ['lambda'], isLambda: true }];
    }
  }
}

async function checkAddress(name: string, address: Address): Promise<OnlineFinding[]> {
  const path = ['functions', name, 'target', ...address.path];
  const where = `${address.url.protocol}//${address.url.host}`;
  const fault = await connectFault(address.url);
  if (fault !== undefined) {
    const message = `${where} does not accept a connection (${fault})`;
    return [
      { severity: 'error', path, code: 'target-unreachable', message, help: 'start it, or correct the address; checked from this machine' },
    ];
  }
  if (!address.isLambda) return [];
  const message = `function "${name}" was not invoked: only the connection to ${where} was checked, not that the function exists or may be invoked`;
  return [{ severity: 'notice', path, code: 'target-not-invoked', message }];
}

/** Opens a connection (with its TLS handshake) and closes it again. Undefined when that works, else the reason. */
function connectFault(url: URL): Promise<string | undefined> {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return new Promise((resolve) => {
    const socket: Socket = isTls
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
      : connectTcp({ host, port });
    const end = (fault?: string): void => {
      socket.destroy();
      resolve(fault);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => end(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`));
    socket.once(isTls ? 'secureConnect' : 'connect', () => end());
    // A name with several addresses fails with an AggregateError, whose own message is empty.
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.message || (error.code ?? error.name)));
  });
}
