import { formatProblems } from '@wherry/config/format';
import type { RefusedConfig } from '@wherry/config/load';
import type { WherryConfig } from '@wherry/core/mapping';
import { UsageError, type Io } from './io.ts';

/** The variable that holds the bearer token for `--url`: an argument would stand in the list of processes. */
export const TOKEN_VARIABLE = 'WHERRY_ADMIN_TOKEN';

/**
 * The address that `--url` names.
 *
 * @throws UsageError when it is no http(s) URL
 */
export function givenUrl(text: string): URL {
  if (/^[a-z]+:\/\/[^/?#]*@/i.test(text)) {
    throw new UsageError(`--url takes no user and password; a bearer token goes into ${TOKEN_VARIABLE}`);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new UsageError(`--url ${text}: expected a URL such as http://127.0.0.1:9401`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new UsageError(`--url ${text}: expected http:// or https://`);
  return url;
}

/** Where this machine reaches an admin listener of this configuration; undefined when only the poller knows the port. */
export function urlOfListen({ listen }: WherryConfig['admin']): string | undefined {
  const colon = listen.lastIndexOf(':');
  const port = listen.slice(colon + 1);
  const host = listen.slice(0, colon).replace(/^(0\.0\.0\.0|\[::\])$/, '127.0.0.1');
  return port === '0' ? undefined : `http://${host}:${port}`;
}

/**
 * Where the pollers can still be asked although their file is refused: they run on with the last good one. Says so on standard error;
 * without an address it prints the errors and how to name one.
 */
export function urlOfRefused(io: Io, refused: RefusedConfig, file: string): string | undefined {
  const url = refused.admin && urlOfListen(refused.admin);
  const errors = refused.problems.filter(({ severity }) => severity === 'error').length;
  if (url === undefined) {
    io.stderr.write(`${formatProblems(refused.problems, 'text', file)}\n`);
    io.stderr.write('pollers run on with their last good configuration, and can be asked without the file: --url http://HOST:9401\n');
    return undefined;
  }
  const count = errors === 1 ? '1 error' : `${errors} errors`;
  io.stderr.write(`${file} has ${count} (wherry validate ${file} shows them); asking the poller at ${url}\n`);
  return url;
}
