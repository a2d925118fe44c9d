import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { backendEnvironment, startBackend, type BackendStart } from './backend-process.ts';
import { ensurePythonTool } from './python-tool.ts';
import { freePort } from './redis-server.ts';
import { repositoryPath } from './repository.ts';

/** LocalStack imports it for scheduled rules only, and PyPI has it as a source package only. */
const CRONTAB_STUB =
  'class CronTab:\n    def __init__(self, *args, **kwargs):\n        raise NotImplementedError("no scheduled rules here")\n';

/** Everything that LocalStack would otherwise download, report or listen on is switched off. */
const SETTINGS = {
  // It takes a machine with /.dockerenv for its own image and looks for its files in system folders.
  OVERRIDE_IN_DOCKER: '0',
  SERVICES: 'sqs',
  EAGER_SERVICE_LOADING: '1',
  STRICT_SERVICE_LOADING: '1',
  DNS_ADDRESS: '0',
  SKIP_SSL_CERT_DOWNLOAD: '1',
  DISABLE_EVENTS: '1',
  SQS_ENDPOINT_STRATEGY: 'path',
  SQS_DISABLE_CLOUDWATCH_METRICS: '1',
  LS_LOG: 'warning',
  AWS_DEFAULT_REGION: 'us-east-1',
} as const;

/**
 * Starts LocalStack 4.14.0 with SQS as a plain Python process, without Docker: FIFO batches, stale receipts and trace
 * headers as AWS has them. Its visibility timeouts end up to one second late. Installed on first use (some 15 s);
 * `missing` where there is no Python 3.13 or no PyPI. LocalStack 4.14.0 does not work on an older Python.
 */
export async function startLocalstack(): Promise<BackendStart> {
  const pinsFile = repositoryPath('test/backends/localstack-4.14.0-pins.txt');
  const tool = await ensurePythonTool({ name: 'localstack', pinsFile, versions: ['3.13'], prepare: addCrontabStub });
  if (tool.kind === 'missing') return tool;
  // It wipes its folder at start and stop, so every instance needs its own.
  await mkdir(repositoryPath('.cache/localstack'), { recursive: true });
  const folder = await mkdtemp(repositoryPath('.cache/localstack/run-'));
  const port = await freePort();
  // It binds every interface when told an IPv4 address, and only the loopback when the same address is written as IPv6.
  const listen = (await hasIpv6()) ? `[::ffff:127.0.0.1]:${port}` : `127.0.0.1:${port}`;
  const backend = await startBackend({
    name: 'LocalStack',
    command: tool.python,
    args: ['-m', 'localstack.runtime.main'],
    env: backendEnvironment({
      ...SETTINGS,
      FILESYSTEM_ROOT: join(folder, 'fs'),
      CONFIG_DIR: join(folder, 'conf'),
      GATEWAY_LISTEN: listen,
      LOCALSTACK_HOST: `127.0.0.1:${port}`,
    }),
    ready: (output) => output.answers(`http://127.0.0.1:${port}`, '/_localstack/health'),
  });
  const stop = async (): Promise<void> => {
    await backend.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { kind: 'started', backend: { ...backend, stop } };
}

function addCrontabStub(sitePackages: string): Promise<void> {
  return writeFile(join(sitePackages, 'crontab.py'), CRONTAB_STUB);
}

async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(0, '::ffff:127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    // A container without IPv6: then the emulator listens on all interfaces, which there are only the container's own.
    return false;
  } finally {
    server.close();
  }
}
