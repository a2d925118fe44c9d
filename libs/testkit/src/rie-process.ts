import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { backendEnvironment, startBackend, type BackendStart } from './backend-process.ts';
import { ensurePythonTool } from './python-tool.ts';
import { freePort } from './redis-server.ts';
import { repositoryPath } from './repository.ts';

/** The emulator's binary per architecture; it is built for Linux alone. */
const BINARIES: Readonly<Record<string, string>> = { x64: 'aws-lambda-rie-x86_64', arm64: 'aws-lambda-rie-arm64' };

const ASK_AGAIN_MS = 20;

/** The function that the emulator runs. */
export interface RieFunction {
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutSeconds: number;
}

/**
 * Starts AWS's own Lambda Runtime Interface Emulator, the binary that is in every AWS base image; it comes out of the PyPI
 * package of `sam`. `missing` where there is no such binary, no Python or no PyPI.
 */
export async function startRie(fn: RieFunction): Promise<BackendStart> {
  const binary = process.platform === 'linux' ? BINARIES[process.arch] : undefined;
  if (binary === undefined)
    return { kind: 'missing', reason: `the Runtime Interface Emulator does not run on ${process.platform} ${process.arch}` };
  const folder = join('samcli', 'local', 'rapid');
  const pinsFile = repositoryPath('test/backends/aws-sam-cli-1.170.0-pins.txt');
  const prepare = (sitePackages: string): Promise<void> => chmod(join(sitePackages, folder, binary), 0o755);
  const tool = await ensurePythonTool({ name: 'aws-sam-cli', pinsFile, prepare });
  if (tool.kind === 'missing') return tool;
  const [port, apiPort] = [await freePort(), await freePort()];
  const addresses = ['--runtime-interface-emulator-address', `127.0.0.1:${port}`, '--runtime-api-address', `127.0.0.1:${apiPort}`];
  const backend = await startBackend({
    name: 'aws-lambda-rie',
    command: join(tool.sitePackages, folder, binary),
    args: [...addresses, fn.command, ...fn.args],
    env: backendEnvironment({ AWS_LAMBDA_FUNCTION_TIMEOUT: String(fn.timeoutSeconds) }),
    // It answers on a single path, and every request there is an invocation: a connection has to do.
    ready: () => connects(port),
  });
  return { kind: 'started', backend };
}

async function connects(port: number): Promise<string> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return `http://127.0.0.1:${port}`;
    } catch {
      // Not listening yet.
      await wait(ASK_AGAIN_MS);
    } finally {
      socket.destroy();
    }
  }
}
