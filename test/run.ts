/**
 * `npm test`: the static checks, then every test, then one line with the totals. The exit code is 0 only when all is well.
 *
 * The line comes from here and not from vitest, so that it is there, and last, even when vitest dies or finds no test.
 */
import { spawn } from 'node:child_process';
import { summaryLine, type Counts } from './summary-reporter.ts';

interface Finished {
  readonly isGood: boolean;
  readonly message: unknown;
}

/** Runs a command on this terminal and waits for its end. `message` is what it last sent to its parent. */
function run(command: string, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    let message: unknown;
    const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (received) => {
      message = received;
    });
    child.on('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      resolve({ isGood: false, message });
    });
    child.on('close', (code) => resolve({ isGood: code === 0, message }));
  });
}

function isCounts(message: unknown): message is Counts {
  return typeof message === 'object' && message !== null && 'passed' in message && 'failed' in message && 'skipped' in message;
}

/** The totals: a failed check is one more failure, and so is a vitest that ended badly without naming one. */
export function totals(isCheckGood: boolean, tests: Finished): Counts {
  const counts = isCounts(tests.message) ? tests.message : { passed: 0, failed: 0, skipped: 0 };
  const isSilentFailure = counts.failed === 0 && (!tests.isGood || !isCounts(tests.message));
  return { ...counts, failed: counts.failed + (isSilentFailure ? 1 : 0) + (isCheckGood ? 0 : 1) };
}

async function main(): Promise<void> {
  const check = await run('npm', ['run', '--silent', 'check']);
  const tests = await run('vitest', ['run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)]);
  const counts = totals(check.isGood, tests);
  if (!check.isGood) console.log('npm run check failed; its findings are above the tests');
  console.log(summaryLine(counts));
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

if (import.meta.main) await main();
