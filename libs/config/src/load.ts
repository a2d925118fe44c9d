import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { setImmediate as pause } from 'node:timers/promises';
import type { WherryConfig } from '@wherry/core/mapping';
import { buildConfig } from './build.ts';
import { checkFunctions } from './function-rules.ts';
import { checkRenames } from './identity.ts';
import { includedFiles, mergeIncluded } from './include.ts';
import { ConfigInputs } from './inputs.ts';
import { interpolate, type ValueSources } from './interpolate.ts';
import { normalizeMappings } from './mapping-forms.ts';
import { checkMappings } from './mapping-rules.ts';
import { mapAt, nodeAt, textAt, type MapNode, type Node } from './node.ts';
import { findNotOffered } from './not-offered.ts';
import { parseYaml } from './parse.ts';
import { type Problem, sortProblems } from './problem.ts';
import { ProblemList } from './problem-list.ts';
import { readSource, reasonOf } from './read-source.ts';
import { resolveReferences } from './references.ts';
import type { ConfigValues } from './schema.ts';
import { DEFAULT_ADMIN_LISTEN, listen } from './schema-fields.ts';
import { validateSchema } from './schema-problems.ts';
import { checkSettings } from './settings-rules.ts';

/** Largest file that `${file:…}` takes a value from. */
const MAX_SECRET_BYTES = 65_536;

/** What `loadConfig` reads. */
export interface LoadOptions {
  /** The main file; messages call it by this very text. */
  readonly file: string;
  /** What `${VAR}` stands for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The container's memory limit, which the default of `limits.bufferedBytes` keeps well below. */
  readonly memoryLimitBytes?: number | undefined;
  /** The present, epoch milliseconds; only to refuse starting positions in the future. */
  readonly nowMs?: number;
  /**
   * The fleet that a running poller belongs to, for its reloads: mappings keep the UUIDs of that fleet whatever `fleet.id` the file
   * has by then. Without it the file's own id counts.
   */
  readonly runningFleetId?: string | undefined;
}

/** A valid configuration, with what is needed to show it and to compare it with another. */
export interface LoadedConfig {
  readonly ok: true;
  readonly config: WherryConfig;
  /** Warnings and notices, by place. */
  readonly warnings: readonly Problem[];
  /** Places that this version checks but cannot honour; a poller must not start while there is any. */
  readonly notOffered: readonly Problem[];
  /** The validated values, in the file's own names. */
  readonly values: ConfigValues;
  /** The tree the values came from, for their places. */
  readonly tree: MapNode;
  /** Every file that was read, by the name messages use. */
  readonly files: readonly string[];
  readonly hash: string;
  /** What was read, to find out cheaply whether reading it again could give anything else. */
  readonly inputs: ConfigInputs;
}

/** A configuration that was refused. */
export interface RefusedConfig {
  readonly ok: false;
  /** `admin`, where that much could be read: pollers that run on with what they had may still be asked there. */
  readonly admin: WherryConfig['admin'] | undefined;
  /** Errors, and the warnings found beside them, by place. */
  readonly problems: readonly Problem[];
  /** As for a good one, so that a reload need not report the same faulty files twice. */
  readonly hash: string;
  readonly inputs: ConfigInputs;
}

/** What came of reading a configuration. */
export type LoadResult = LoadedConfig | RefusedConfig;

/**
 * Reads, checks and resolves a configuration: the main file and what it includes, values from the environment and from secret
 * files, references, the three spellings of mappings, defaults. Never throws for anything a file may hold. Thousands of mappings take
 * a second or so; that is done in portions, between which a running poller goes on with its work.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const problems = new ProblemList();
  const hash = createHash('sha256');
  const files: string[] = [];
  const inputs = new ConfigInputs();
  const { tree: read, isWhole } = await readTree(options, inputs, problems, hash, files);
  const digest = hash.digest('hex');
  const refuse = (): RefusedConfig => ({
    ok: false,
    admin: readableAdmin(read),
    problems: sortProblems(problems.all, files),
    hash: digest,
    inputs,
  });
  // What stands in a file that could not be read would be missed everywhere else.
  if (read === undefined || !isWhole) return refuse();
  const resolved = resolveReferences(read, problems);
  if (resolved.kind !== 'map') return refuse();
  const tree = normalizeMappings(resolved, problems);
  await pause();
  const values = validateSchema(tree, problems);
  await pause();
  const mappings = checkMappings(tree, options.nowMs ?? Date.now(), problems);
  checkFunctions(tree, problems);
  checkRenames(tree, problems);
  checkSettings(tree, problems);
  if (values === undefined || problems.hasErrors()) return refuse();
  await pause();
  return {
    ok: true,
    config: buildConfig(values, mappings, digest, options),
    warnings: sortProblems(problems.all, files),
    notOffered: sortProblems(findNotOffered(tree), files),
    values,
    tree,
    files,
    hash: digest,
    inputs,
  };
}

/**
 * The main file with the functions and mappings of its includes; undefined when the main file holds nothing to go on with, and not
 * whole when one of the others could not be read.
 */
async function readTree(
  options: LoadOptions,
  inputs: ConfigInputs,
  problems: ProblemList,
  hash: ReturnType<typeof createHash>,
  files: string[],
): Promise<{ readonly tree: MapNode | undefined; readonly isWhole: boolean }> {
  const main = resolve(options.file);
  const used: string[] = [];
  const readOne = async (path: string, name: string): Promise<Node | undefined> => {
    files.push(name);
    const source = await readSource(path, name, inputs, problems);
    if (source === undefined) return undefined;
    // The lengths keep two files apart from one that holds both.
    hash.update(`${source.text.length}:`).update(source.text);
    const parsed = await parseYaml(source, problems);
    return parsed && interpolate(parsed, valueSources(options.env, path, inputs, used), problems);
  };
  const parsedMain = await readOne(main, options.file);
  const tree = parsedMain?.kind === 'scalar' && parsedMain.value === null ? undefined : parsedMain;
  if (tree === undefined && !problems.hasErrors()) {
    problems.fileError(options.file, 'empty', `${options.file} is empty: no mappings defined`, 'write a first file with: wherry init');
  }
  if (tree !== undefined && tree.kind !== 'map')
    problems.error(tree, 'invalid-type', 'expected a map with version:, functions: and mappings:');
  let isWhole = true;
  if (tree?.kind === 'map') {
    for (const file of await includedFiles(tree, main, options.file, inputs, problems)) {
      const before = problems.all.length;
      const included = await readOne(file.path, file.name);
      if (included !== undefined) mergeIncluded(tree, included, problems);
      else if (problems.all.length > before) isWhole = false;
    }
  }
  for (const value of used) hash.update(`${value.length}:`).update(value);
  return { tree: tree?.kind === 'map' ? tree : undefined, isWhole };
}

/** The admin listener of a file that is wrong elsewhere; undefined when nothing was read, or this is wrong too. */
function readableAdmin(tree: MapNode | undefined): WherryConfig['admin'] | undefined {
  if (tree === undefined || (tree.entries.has('admin') && mapAt(tree, 'admin') === undefined)) return undefined;
  const written = nodeAt(tree, ['admin', 'listen']);
  const parsed = listen()
    .default(DEFAULT_ADMIN_LISTEN)
    .safeParse(written === undefined ? undefined : textAt(written));
  if (!parsed.success || (written !== undefined && textAt(written) === undefined)) return undefined;
  const tokens = nodeAt(tree, ['admin', 'auth', 'bearer', 'tokens']);
  return {
    listen: parsed.data,
    bearerTokens: tokens?.kind === 'list' ? tokens.items.flatMap((item) => textAt(item) ?? []) : [],
  };
}

function valueSources(env: LoadOptions['env'], file: string, inputs: ConfigInputs, used: string[]): ValueSources {
  return {
    env,
    used: (value) => used.push(value),
    readFile: (path) => {
      try {
        return inputs.readNow(resolve(dirname(file), path), MAX_SECRET_BYTES);
      } catch (error) {
        throw error instanceof Error && 'code' in error ? new Error(reasonOf(error), { cause: error }) : error;
      }
    },
  };
}
