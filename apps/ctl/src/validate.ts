import { formatProblems, type ProblemFormat } from '@wherry/config/format';
import { loadConfig, type LoadedConfig } from '@wherry/config/load';
import { sortProblems, type Problem } from '@wherry/config/problem';
import { ExitCode, type Io } from './io.ts';

/** What `wherry validate` is asked for. */
export interface ValidateOptions {
  readonly files: readonly string[];
  readonly format: ProblemFormat;
  /** Also ask the outside world, once the file itself is good. */
  readonly online: boolean;
}

interface Checked {
  readonly file: string;
  readonly problems: readonly Problem[];
  /** Undefined when the file was refused. */
  readonly loaded: LoadedConfig | undefined;
}

/**
 * `wherry validate`: checks each file as a configuration of its own. As text, problems go to standard error and a line for each good
 * file to standard output; as JSON or for GitHub, problems go to standard output.
 *
 * @returns 0 when every file is good, warnings or not, else 1
 */
export async function validate(io: Io, options: ValidateOptions): Promise<number> {
  const checked: Checked[] = [];
  for (const file of options.files) checked.push(await check(io, file, options.online));
  if (options.format === 'json') {
    const all = checked.flatMap(({ problems }) => problems);
    io.stdout.write(`${formatProblems(all, 'json')}\n`);
  } else {
    for (const one of checked) write(io, one, options.format);
  }
  return checked.some(({ problems }) => hasErrors(problems)) ? ExitCode.failed : ExitCode.ok;
}

async function check(io: Io, file: string, online: boolean): Promise<Checked> {
  const result = await loadConfig({ file, env: io.env, nowMs: Date.now() });
  if (!result.ok) return { file, problems: result.problems, loaded: undefined };
  const problems = [...result.warnings, ...result.notOffered];
  if (online) problems.push(...(await askOutside(result)));
  return { file, problems: sortProblems(problems, result.files), loaded: result };
}

async function askOutside(loaded: LoadedConfig): Promise<readonly Problem[]> {
  const [{ checkOnline }, { placeFindings }, { systemSurroundings }] = await Promise.all([
    import('./online.ts'),
    import('./place-findings.ts'),
    import('@wherry/poller/surroundings'),
  ]);
  return placeFindings(await checkOnline(loaded.config, systemSurroundings), loaded.tree);
}

function write(io: Io, { file, problems, loaded }: Checked, format: ProblemFormat): void {
  const isGood = loaded !== undefined && !hasErrors(problems);
  const text = formatProblems(problems, format, file);
  if (format === 'github') {
    if (text !== '') io.stdout.write(`${text}\n`);
  } else if (text !== '') {
    // The last paragraph counts the problems; for a good file the line below does.
    io.stderr.write(`${isGood ? text.slice(0, text.lastIndexOf('\n\n')) : text}\n`);
  }
  if (isGood) io.stdout.write(`${file}: ok (${contents(loaded, problems).join(', ')})\n`);
}

function contents({ config }: LoadedConfig, problems: readonly Problem[]): string[] {
  const warnings = problems.filter(({ severity }) => severity === 'warning').length;
  const notices = problems.filter(({ severity }) => severity === 'notice').length;
  return [
    count(config.functions.size, 'function'),
    count(config.mappings.size, 'mapping'),
    ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
    ...(notices === 0 ? [] : [count(notices, 'notice')]),
  ];
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
