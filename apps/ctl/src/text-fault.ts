import { formatProblems } from '@wherry/config/format';
import { UsageError } from './io.ts';

/** Something wrong at one place of a text that a command was given. */
export interface TextFault {
  readonly message: string;
  /** What the user knows the text by: a file, or the option it was given with. */
  readonly name: string;
  readonly text: string;
  /** In UTF-16 units, from 0. */
  readonly offset: number;
  readonly help?: string;
}

/** The fault as bad usage, laid out as a problem of the configuration is: message, place, the line, a caret. */
export function faultInText({ message, name, text, offset, help }: TextFault): UsageError {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', offset);
  const sourceLine = text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '');
  const column = offset - start + 1;
  const problem = {
    severity: 'error' as const,
    file: name,
    line: before.split('\n').length,
    column,
    endColumn: column + 1,
    path: `offset ${offset}`,
    code: 'bad-input',
    message,
    sourceLine,
    ...(help === undefined ? {} : { help }),
  };
  const block = formatProblems([problem], 'text');
  // What prints the error begins it with the same word; and the summary below the block counts problems of a configuration.
  return new UsageError(block.slice('error: '.length, block.lastIndexOf('\n\n')));
}
