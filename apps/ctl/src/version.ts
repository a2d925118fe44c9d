import { VERSION } from '@wherry/poller/version';
import { ExitCode, type Io } from './io.ts';

/** `wherry version`: what a bug report needs. */
export function version(io: Io, options: { readonly json?: boolean }): number {
  const facts = { version: VERSION, node: process.versions.node, platform: process.platform, arch: process.arch };
  const text =
    options.json === true ? JSON.stringify(facts) : `wherry ${facts.version} (Node ${facts.node}, ${facts.platform} ${facts.arch})`;
  io.stdout.write(`${text}\n`);
  return ExitCode.ok;
}
