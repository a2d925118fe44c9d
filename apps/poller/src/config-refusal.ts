import { formatProblems } from '@wherry/config/format';
import type { LoadResult } from '@wherry/config/load';
import type { Problem } from '@wherry/config/problem';

/**
 * Why a poller cannot run what was loaded, as text for people: its errors, or every place that asks for what this version does not
 * offer. Undefined when it can.
 *
 * @param file the main file, as the user named it
 */
export function configRefusal(result: LoadResult, file: string): string | undefined {
  if (!result.ok) return formatProblems(result.problems, 'text', file);
  // `validate` only warns of these, because the file is right; whoever has to run it must refuse.
  const refused = result.notOffered.map((problem): Problem => ({ ...problem, severity: 'error' }));
  return refused.length === 0 ? undefined : formatProblems(refused, 'text', file);
}
