/** The `wherry` command: parses the arguments, runs one command, and exits with its code. */
import { constants } from 'node:os';
import { runProgram } from './program.ts';

/** How long a finished command may keep the process up with something that it forgot to close. */
const LINGER_MS = 500;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader went away (`wherry schema | head`): nobody is left to tell.
  if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), process);
setTimeout(() => process.exit(), LINGER_MS).unref();
