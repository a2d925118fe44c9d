import { formatProblems } from '@wherry/config/format';
import { loadConfig } from '@wherry/config/load';
import type { WherryConfig } from '@wherry/core/mapping';
import type { Io } from './io.ts';

/** The configuration for commands that only need to know where things are. Errors are printed; undefined means that there were some. */
export async function readConfig(io: Io, file: string): Promise<WherryConfig | undefined> {
  const result = await loadConfig({ file, env: io.env });
  if (result.ok) return result.config;
  io.stderr.write(`${formatProblems(result.problems, 'text', file)}\n`);
  return undefined;
}
