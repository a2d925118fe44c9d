import { didYouMean } from '@wherry/config/suggest';
import type { Mapping, WherryConfig } from '@wherry/core/mapping';
import { UsageError } from './io.ts';

/** How many mappings are listed to somebody who named none of them. */
const NAMES_SHOWN = 10;

/**
 * The mapping of this name.
 *
 * @param file name of the configuration, for the message
 * @throws UsageError that names the nearest one, or those there are
 */
export function namedMapping({ mappings }: Pick<WherryConfig, 'mappings'>, name: string, file: string): Mapping {
  const mapping = mappings.get(name);
  if (mapping !== undefined) return mapping;
  const names = [...mappings.keys()];
  const nearest = didYouMean(name, names);
  const shown = names.length <= NAMES_SHOWN ? names : [...names.slice(0, NAMES_SHOWN), `and ${names.length - NAMES_SHOWN} more`];
  const known = names.length === 0 ? '; it has none' : `; it has ${shown.join(', ')}`;
  throw new UsageError(`${file} has no mapping "${name}"${nearest === undefined ? known : `\n(Did you mean ${nearest}?)`}`);
}
