/**
 * The rules that no compiler checks. Each is a function over a set of files (path from the root, with forward slashes, to
 * text), so that its own test can plant a fault and see it found.
 */

/** Path from the repository's root to the file's text. */
export type Files = ReadonlyMap<string, string>;

/** One broken rule at one place. */
export interface Finding {
  readonly file: string;
  /** From 1; 0 where the finding is about the file as a whole. */
  readonly line: number;
  readonly message: string;
}

type Rule = (files: Files) => Finding[];

const isCode = (file: string): boolean => /\.(ts|js|mjs)$/.test(file);
const isTest = (file: string): boolean =>
  file.endsWith('.test.ts') || file.startsWith('test/') || file.startsWith('libs/testkit/') || file.includes('/test-data/');

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** The text with comments blanked out, line by line, so that line numbers stay. Good enough for code that a formatter wrote. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(?<=^|[\s;{}(),])\/\/.*$/gm, blank);
}

/** Every line of the chosen files on which the pattern is found. */
function grep(files: Files, isChosen: (file: string) => boolean, pattern: RegExp, message: string, read = withoutComments): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of files) {
    if (!isChosen(file)) continue;
    for (const [index, line] of read(text).split('\n').entries()) {
      const match = pattern.exec(line);
      if (match !== null) findings.push({ file, line: index + 1, message: `${message}: ${match[0].trim()}` });
    }
  }
  return findings;
}

interface Import {
  readonly file: string;
  readonly line: number;
  readonly name: string;
}

function importsOf(file: string, text: string): Import[] {
  // As the formatter writes them; anything looser would find imports in the sentences of error messages.
  const pattern = /^(?:(?:import|export)\b.*|\} )\bfrom '([^']+)'|^import '([^']+)'|\bimport\(\s*'([^']+)'/gm;
  const code = withoutComments(text);
  return [...code.matchAll(pattern)].map((match) => ({
    file,
    line: code.slice(0, match.index).split('\n').length,
    name: match[1] ?? match[2] ?? match[3] ?? '',
  }));
}

/** `libs/core` of `libs/core/src/batch.ts`; undefined outside the workspaces. */
function workspaceOf(file: string): string | undefined {
  return /^(libs|apps)\/[^/]+/.exec(file)?.[0];
}

/** `@a/b` of `@a/b/c`, `a` of `a/b`. */
function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

function dependencies(files: Files, manifest: string, key: 'dependencies' | 'devDependencies'): Set<string> {
  const parsed = JSON.parse(files.get(manifest) ?? '{}') as Partial<Record<string, Record<string, string>>>;
  return new Set(Object.keys(parsed[key] ?? {}));
}

/** Why an import is not allowed where it stands, or undefined. */
function importFault(files: Files, { file, name }: Import): string | undefined {
  const workspace = workspaceOf(file);
  if (workspace === undefined) return undefined;
  if (name.startsWith('.')) {
    const target = new URL(name, `file:///${file}`).pathname.slice(1);
    return target.startsWith(`${workspace}/`) ? undefined : `${name} leaves ${workspace}; import by package name`;
  }
  const isProduct = !isTest(file);
  if (workspace === 'libs/core' && isProduct) return `libs/core imports nothing, yet here is ${name}`;
  if (name.startsWith('node:')) return undefined;
  const wanted = packageOf(name);
  if (wanted === '@wherry/testkit') return isProduct ? 'libs/testkit is for tests only' : undefined;
  if (
    workspace.startsWith('libs/') &&
    wanted.startsWith('@wherry/') &&
    wanted !== '@wherry/core' &&
    wanted !== `@wherry/${workspace.slice(5)}`
  )
    return `${workspace} imports ${wanted}; a lib imports libs/core and npm packages only`;
  const declared = dependencies(files, `${workspace}/package.json`, 'dependencies');
  if (declared.has(wanted)) return undefined;
  if (!isProduct && dependencies(files, 'package.json', 'devDependencies').has(wanted)) return undefined;
  return `${wanted} is not among the dependencies of ${workspace}/package.json`;
}

const layers: Rule = (files) =>
  [...files].flatMap(([file, text]) =>
    isCode(file)
      ? importsOf(file, text).flatMap((found) => {
          const message = importFault(files, found);
          return message === undefined ? [] : [{ file, line: found.line, message }];
        })
      : [],
  );

const declaredLayers: Rule = (files) =>
  [...files.keys()].flatMap((file) => {
    if (!/^libs\/[^/]+\/package\.json$/.test(file)) return [];
    const wrong = [...dependencies(files, file, 'dependencies')].filter((name) => name.startsWith('@wherry/') && name !== '@wherry/core');
    return wrong.map((name) => ({ file, line: 0, message: `a lib depends on libs/core and npm packages only, not on ${name}` }));
  });

const isPure = (file: string): boolean => /^libs\/(core|engine)\/src\//.test(file) && !isTest(file);
const impure =
  /\b(Date\.now|new Date\(\)|Math\.random|randomUUID|performance\.|process\.|setTimeout|setInterval|setImmediate|queueMicrotask)|\bfrom 'node:(crypto|timers|process|perf_hooks)/;

const noHiddenClock: Rule = (files) => grep(files, isPure, impure, 'time, chance and identity are injected (libs/core/src/clock.ts)');

const environmentInApps: Rule = (files) =>
  grep(
    files,
    (file) => file.startsWith('libs/') && isCode(file) && !isTest(file),
    /\bprocess\.(env|on|once|exit|argv)\b/,
    'only apps touch the process and its environment',
  );

const fileLength: Rule = (files) =>
  [...files].flatMap(([file, text]) => {
    const count = text.split('\n').length - 1;
    return (isCode(file) || file.endsWith('.lua')) && count > 400 ? [{ file, line: 401, message: `${count} lines, at most 400` }] : [];
  });

const vagueNames = new Set(['index', 'types', 'utils', 'helpers', 'common', 'shared', 'misc', 'constants']);

const noBarrels: Rule = (files) => [
  ...[...files.keys()]
    .filter(
      (file) =>
        isCode(file) &&
        (vagueNames.has(baseName(file)) ||
          file
            .split('/')
            .slice(0, -1)
            .some((part) => vagueNames.has(part))),
    )
    .map((file) => ({ file, line: 0, message: 'name a file after its main export' })),
  ...grep(
    files,
    isCode,
    /^\s*export\s+(type\s+)?(\*|\{[^}]*\})\s*(as\s+\w+\s+)?from\b/,
    'no re-exports: import from the file that defines it',
  ),
];

function baseName(file: string): string {
  return (file.split('/').at(-1) ?? '').replace(/\.[^.]+$/, '');
}

// Split in two so that this file does not break its own rule.
const machinePath = new RegExp(['(?<![\\w.@-])/(work', 'root(?!/\\.npm)', 'home/\\w+', 'Users/\\w+)/\\S*'].join('|'));
const noMachinePaths: Rule = (files) => grep(files, () => true, machinePath, 'a path of one machine', asItIs);

function asItIs(text: string): string {
  return text;
}

const seeIsUrl: Rule = (files) => grep(files, isCode, /^\s*(\/\*\*|\*).*@see\s+(?!https:\/\/)\S+/, '@see names a URL', asItIs);

const docstrings: Rule = (files) =>
  [...files].flatMap(([file, text]) => {
    if (!file.startsWith('libs/') || !file.endsWith('.ts') || file.endsWith('.test.ts')) return [];
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      const name = /^export (?:default )?(?:async )?(?:abstract )?(?:function\*?|class|const|let|type|interface) (\w+)/.exec(line)?.[1];
      const isDescribed = lines[index - 1]?.trimEnd().endsWith('*/') ?? false;
      return name === undefined || isDescribed ? [] : [{ file, line: index + 1, message: `${name} is exported without a docstring` }];
    });
  });

const noSilentSkips: Rule = (files) =>
  grep(
    files,
    (file) => file.endsWith('.test.ts'),
    /\b(test|it|describe)(\.\w+)*\.(only|skip|skipIf|runIf|todo|fails)\b|\.skip\(\s*\)/,
    "every test runs, or says why not: context.skip('reason')",
  );

const noUnfinishedWork: Rule = (files) =>
  grep(files, isCode, new RegExp(['\\bTO', 'DO\\b|\\bFIX', 'ME\\b'].join('')), 'unfinished work', asItIs);

const noRegistryInLock: Rule = (files) =>
  grep(files, (file) => file === 'package-lock.json', /"resolved": "[a-z+]+:\/\/[^"]*"/, 'the lock file names no registry', asItIs);

const libReadme: Rule = (files) =>
  [...files.keys()].flatMap((file) => {
    if (!/^libs\/[^/]+\/package\.json$/.test(file)) return [];
    const readme = file.replace('package.json', 'README.md');
    const text = files.get(readme);
    if (text === undefined) return [{ file: readme, line: 0, message: 'every lib says what it is for, in at most 40 lines' }];
    return text.split('\n').length - 1 > 40 ? [{ file: readme, line: 41, message: 'a lib README has at most 40 lines' }] : [];
  });

/** Every rule under the sentence that it enforces. */
export const rules: Readonly<Record<string, Rule>> = {
  'what is imported is declared, and only along the layers': layers,
  'no lib depends on another lib': declaredLayers,
  'core and engine read no clock, no chance and no process': noHiddenClock,
  'libs do not touch the process or its environment': environmentInApps,
  'no file is longer than 400 lines': fileLength,
  'no barrels, no re-exports, no vague names': noBarrels,
  'no path of a machine stands in the repository': noMachinePaths,
  'every @see is a URL': seeIsUrl,
  'everything a lib exports has a docstring': docstrings,
  'no test is singled out or skipped in silence': noSilentSkips,
  'no unfinished work is marked in code': noUnfinishedWork,
  'the lock file names no registry': noRegistryInLock,
  'every lib has a short README': libReadme,
};
