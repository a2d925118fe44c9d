import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig, type LoadedConfig, type LoadOptions, type LoadResult } from '../src/load.ts';
import type { Problem } from '../src/problem.ts';

/** What a test gives beside the main file's text. */
export interface Surroundings extends Omit<Partial<LoadOptions>, 'file'> {
  /** Further files, by their path beside the main one. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A folder that is gone when the test ends, with the given files in it. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'wherry-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** Loads a text as the main file `wherry.yaml`. Places in the answer name files relative to their folder. */
export async function loadText(text: string | Uint8Array, { files = {}, env = {}, ...options }: Surroundings = {}): Promise<LoadResult> {
  const folder = folderWith({ ...files, 'wherry.yaml': text });
  const result = await loadConfig({ nowMs: Date.UTC(2026, 10, 20), ...options, env, file: join(folder, 'wherry.yaml') });
  const relative = (problem: Problem): Problem => ({
    ...problem,
    file: problem.file.replace(`${folder}/`, ''),
    message: problem.message.replace(`${folder}/`, ''),
    ...(problem.help === undefined ? {} : { help: problem.help.replace(`${folder}/`, '') }),
  });
  if (!result.ok) return { ...result, problems: result.problems.map(relative) };
  return { ...result, warnings: result.warnings.map(relative), notOffered: result.notOffered.map(relative) };
}

/** Loads a text that has to be valid. */
export async function loadGood(text: string, surroundings?: Surroundings): Promise<LoadedConfig> {
  const result = await loadText(text, surroundings);
  if (result.ok) return result;
  throw new Error(`not valid: ${result.problems.map(shown).join('; ')}`);
}

/** The errors of a text, each as `line:column path: message [help]`; empty when it is valid. */
export async function errorsOf(text: string | Uint8Array, surroundings?: Surroundings): Promise<string[]> {
  const result = await loadText(text, surroundings);
  return result.ok ? [] : result.problems.filter((problem) => problem.severity === 'error').map(shown);
}

function shown({ line, column, path, message, help }: Problem): string {
  return `${line}:${column} ${path}: ${message}${help === undefined ? '' : ` [${help}]`}`;
}

/** A whole valid file around some mappings, with a function `orders` that has an alias `PROD`, and one called `other`. */
export function withMappings(mappings: string): string {
  return [
    'version: 1',
    'functions:',
    '  orders: { target: { http: { url: "http://127.0.0.1:9000" } }, aliases: { PROD: {} } }',
    '  other: { target: { http: { url: "http://127.0.0.1:9000" } } }',
    'mappings:',
    ...mappings.split('\n').map((line) => `  ${line}`),
    '',
  ].join('\n');
}
