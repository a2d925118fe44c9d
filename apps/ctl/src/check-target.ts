import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AwsSettings, FunctionDefinition, Target } from '@wherry/core/mapping';
import { credentialsFault } from './credentials-fault.ts';
import type { OnlineFinding } from './online-finding.ts';

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Whether something accepts connections where a function is said to run, and for Lambda, whether there are credentials to sign calls
 * with. Nothing is sent to a function and none is invoked.
 *
 * @param credentials looks for credentials as the calls will
 */
export async function checkTarget(
  definition: FunctionDefinition,
  credentials: (aws: AwsSettings) => Promise<unknown>,
): Promise<OnlineFinding[]> {
  const { name, target } = definition;
  const checks = addressesOf(target).map((place) => checkAddress(name, place));
  if (target.kind === 'lambda') checks.push(checkCredentials(name, target.aws, credentials));
  return (await Promise.all(checks)).flat();
}

async function checkCredentials(
  name: string,
  aws: AwsSettings,
  credentials: (aws: AwsSettings) => Promise<unknown>,
): Promise<OnlineFinding[]> {
  try {
    await credentials(aws);
    return [];
  } catch (error) {
    const { name: code, message: said } = error instanceof Error ? error : new Error(String(error));
    const { message, help } = credentialsFault(code, aws) ?? {
      message: 'the AWS credentials could not be had',
      help:
        aws.assumeRole === undefined
          ? 'check them with: aws sts get-caller-identity'
          : `check that ${aws.assumeRole.roleArn} may be assumed`,
    };
    const path = ['functions', name, 'target', 'lambda'];
    return [{ severity: 'error', path, code: 'aws-credentials', message: `${message} (${code}: ${said})`, help }];
  }
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
