import { formatProblems } from '@wherry/config/format';
import { loadConfig } from '@wherry/config/load';
import { printConfig as effectiveConfig } from '@wherry/config/print';
import { ExitCode, type Io } from './io.ts';

/** `wherry config print`: what a poller would run with, secrets starred. */
export async function printConfig(io: Io, options: { readonly config: string; readonly origin?: boolean }): Promise<number> {
  const result = await loadConfig({ file: options.config, env: io.env });
  if (!result.ok) {
    io.stderr.write(`${formatProblems(result.problems, 'text', options.config)}\n`);
    return ExitCode.failed;
  }
  io.stdout.write(effectiveConfig(result, { origin: options.origin === true }));
  return ExitCode.ok;
}
