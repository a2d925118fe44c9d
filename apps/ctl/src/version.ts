import { readFileSync } from 'node:fs';
import { ExitCode, type Io } from './io.ts';

/** The version of Wherry, from the package that this file belongs to. */
export function wherryVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

/** `wherry version`: what a bug report needs. */
export function version(io: Io, options: { readonly json?: boolean }): number {
  const facts = { version: wherryVersion(), node: process.versions.node, platform: process.platform, arch: process.arch };
  const text =
    options.json === true ? JSON.stringify(facts) : `wherry ${facts.version} (Node ${facts.node}, ${facts.platform} ${facts.arch})`;
  io.stdout.write(`${text}\n`);
  return ExitCode.ok;
}
