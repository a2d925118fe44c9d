import type { Problem } from './problem.ts';

/** How `formatProblems` writes: for people, for programs, or as GitHub workflow commands. */
export type ProblemFormat = 'text' | 'json' | 'github';

/** Longest stretch of a source line that is shown; minified files have lines of megabytes. */
const SHOWN_COLUMNS = 160;

/**
 * Problems as text.
 *
 * - `text`: message, place, the line with a caret and the help, one block each, then a summary line.
 * - `json`: an array of `{severity,file,line,column,endColumn,path,code,message,help?,awsMessage?}`.
 * - `github`: one workflow command per problem, which GitHub shows beside the line.
 *   See https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 *
 * @param file the file that was asked for, named in the summary; the first problem's file when absent
 * @returns text without a final line break; empty for no problems (`[]` in JSON)
 */
export function formatProblems(problems: readonly Problem[], format: ProblemFormat, file?: string): string {
  if (format === 'json') return JSON.stringify(problems.map(asJson), undefined, 2);
  if (format === 'github') return problems.map(asGithub).join('\n');
  const first = problems[0];
  if (first === undefined) return '';
  return [...problems.map(asText), summary(problems, file ?? first.file)].join('\n\n');
}

function asJson(problem: Problem): object {
  const { severity, file, line, column, endColumn, path, code, message, help, awsMessage } = problem;
  return { severity, file, line, column, endColumn, path, code, message, help, awsMessage };
}

function asText(problem: Problem): string {
  const head = `${problem.severity}: ${printable(problem.message)}`;
  if (problem.line === 0) return [head, ` --> ${problem.file}`, ...(problem.help ? [`  = ${problem.help}`] : [])].join('\n');
  const number = String(problem.line);
  const gutter = ' '.repeat(number.length);
  const shown = cut(problem);
  // Tabs are kept so that the caret stands under the same column however wide the terminal draws them.
  const indent = shown.line.slice(0, shown.column - 1).replaceAll(/[^\t]/gu, ' ');
  const caret = shown.line.slice(shown.column - 1, shown.endColumn - 1).replaceAll(/./gsu, '^') || '^';
  return [
    head,
    `${gutter}--> ${problem.file}:${problem.line}:${problem.column}${problem.path ? `  (${printable(problem.path)})` : ''}`,
    `${gutter} |`,
    `${number} | ${shown.line}`,
    `${gutter} | ${indent}${caret}${problem.help ? ` ${printable(problem.help)}` : ''}`,
  ].join('\n');
}

/** The part of a long line around the marked columns. */
function cut(problem: Problem): { line: string; column: number; endColumn: number } {
  const line = problem.sourceLine ?? '';
  if (line.length <= SHOWN_COLUMNS) return { line, column: problem.column, endColumn: problem.endColumn };
  const from = Math.max(0, problem.column - 1 - SHOWN_COLUMNS / 4);
  const to = Math.min(line.length, from + SHOWN_COLUMNS);
  const text = `${from > 0 ? '…' : ''}${line.slice(from, to)}${to < line.length ? '…' : ''}`;
  const shift = from - (from > 0 ? 1 : 0);
  return { line: text, column: problem.column - shift, endColumn: Math.min(problem.endColumn, to + 1) - shift };
}

/** Values from the file appear in messages; line breaks and control characters must not break the layout. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function asGithub(problem: Problem): string {
  const command = problem.severity === 'error' ? 'error' : problem.severity;
  const place =
    problem.line === 0
      ? `file=${property(problem.file)}`
      : `file=${property(problem.file)},line=${problem.line},col=${problem.column},endColumn=${problem.endColumn}`;
  const path = problem.path ? ` (${problem.path})` : '';
  return `::${command} ${place}::${data(`${problem.message}${path}${problem.help ? `: ${problem.help}` : ''}`)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function summary(problems: readonly Problem[], file: string): string {
  const count = (severity: Problem['severity'], word: string): string[] => {
    const found = problems.filter((problem) => problem.severity === severity).length;
    return found === 0 ? [] : [`${found} ${word}${found === 1 ? '' : 's'}`];
  };
  const errors = count('error', 'error');
  const counts = [...errors, ...count('warning', 'warning'), ...count('notice', 'notice')];
  return `${file}: ${[...counts, ...(errors.length > 0 ? ['nothing was applied'] : [])].join(', ')}`;
}
