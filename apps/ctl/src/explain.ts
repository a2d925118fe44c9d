import { explain as explainField } from '@wherry/config/explain';
import { ExitCode, UsageError, type Io } from './io.ts';

/** `wherry explain`: type, default, limits and meaning of a field. A field that does not exist is bad usage. */
export function explain(io: Io, field: string): number {
  const explanation = explainField(field);
  if (!explanation.ok) {
    throw new UsageError(
      `${explanation.message}${explanation.suggestion === undefined ? '' : `\n(Did you mean ${explanation.suggestion}?)`}`,
    );
  }
  io.stdout.write(`${explanation.text}\n`);
  return ExitCode.ok;
}
