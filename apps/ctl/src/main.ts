/** The `wherry` command: parses the arguments, runs one command, and exits with its code. */
import { constants } from 'node:os';
import { runProgram } from './program.ts';

/** How long a finished command may keep the process up with something that it forgot to close. */
const LINGER_MS = 500;
/** How often a started process looks whether its starter is still there. */
const STARTER_WATCH_MS = 1_000;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader went away (`wherry schema | head`, `wherry validate 2>&1 | head`): nobody is left to tell.
    if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
    throw error;
  });
}

/**
 * npx and the launcher pass every signal on that can be passed on, which leaves SIGKILL: then this process would go on alone,
 * with nobody left who could stop it. It drains instead.
 */
function endWithStarter(env: NodeJS.ProcessEnv): void {
  const starter = env['WHERRY_STARTER'] ?? (env['npm_command'] === 'exec' ? String(process.ppid) : undefined);
  if (starter === undefined) return;
  const watch = setInterval(() => {
    if (String(process.ppid) === starter) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, STARTER_WATCH_MS).unref();
}

endWithStarter(process.env);
process.exitCode = await runProgram(process.argv.slice(2), process);
setTimeout(() => process.exit(), LINGER_MS).unref();
