import { backendEnvironment, startBackend, type BackendStart } from './backend-process.ts';
import { ensurePythonTool } from './python-tool.ts';
import { freePort } from './redis-server.ts';
import { repositoryPath } from './repository.ts';

/**
 * Starts ministack, an AWS emulator from PyPI: FIFO groups as AWS has them, timers exact to some milliseconds. Installed
 * on first use; `missing` where there is no Python or no PyPI.
 *
 * @param env further settings of its own, such as `{ AUTH: 'true' }`, with which it checks signatures and permissions
 */
export async function startMinistack(env: Readonly<Record<string, string>> = {}): Promise<BackendStart> {
  const pinsFile = repositoryPath('test/backends/ministack-1.5.33-pins.txt');
  const tool = await ensurePythonTool({ name: 'ministack', pinsFile });
  if (tool.kind === 'missing') return tool;
  const port = await freePort();
  const backend = await startBackend({
    name: 'ministack',
    command: tool.python,
    args: ['-m', 'ministack'],
    env: backendEnvironment({ GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1', LOG_LEVEL: 'WARNING', ...env }),
    ready: (output) => output.answers(`http://127.0.0.1:${port}`, '/_ministack/health'),
  });
  return { kind: 'started', backend };
}
