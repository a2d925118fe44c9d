import { InvalidArgumentError, Option } from 'commander';
import type { Io } from './io.ts';

/** The options of a command that reads a configuration. */
export interface WithConfig {
  readonly config: string;
}

/** `--config`, which every command has that reads one. */
export function configOption(io: Io): Option {
  const named = io.env['WHERRY_CONFIG'];
  return new Option('-c, --config <file>', 'configuration file')
    .default(named === undefined || named === '' ? 'wherry.yaml' : named, 'WHERRY_CONFIG, else wherry.yaml')
    .argParser(fileName);
}

/** An empty name is a variable that somebody forgot to set; what it leads to would be told less clearly by the file system. */
function fileName(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty: name a file.');
  return text;
}
