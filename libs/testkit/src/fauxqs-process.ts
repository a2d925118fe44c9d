import { startBackend, type Backend } from './backend-process.ts';
import { repositoryPath } from './repository.ts';

/**
 * Starts fauxqs, an SQS emulator from npm, through the script that the demo uses. Good for standard queues; it hands out
 * one message of a FIFO group per receive, never stale-receipt errors and no `AWSTraceHeader`.
 *
 * @param port 0 for any free one
 */
export function startFauxqs(port = 0): Promise<Backend> {
  return startBackend({
    name: 'fauxqs',
    command: process.execPath,
    args: [repositoryPath('apps/demo/src/sqs-emulator.ts'), '--port', String(port)],
    ready: async (output) => readUrl(await output.firstLine()),
  });
}

function readUrl(line: string): string {
  const { url } = JSON.parse(line) as { url: string };
  return url;
}
