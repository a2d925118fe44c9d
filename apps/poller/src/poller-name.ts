/** Characters that a poller's name may have; it becomes part of keys and log lines. */
const NAME_CHARACTERS = /[^A-Za-z0-9._-]+/g;
const NAME_LENGTH_MAX = 64;
/** Digits of the process's id that stand behind the host name: few enough to read aloud, enough for all pollers of one machine. */
const SUFFIX_LENGTH = 6;

/** What one poller process is called. */
export interface PollerIdentity {
  /** In every log line, in `wherry_build_info` and as the connection's name in Redis. */
  readonly name: string;
  /** Owner of leases, shown by `wherry status`; begins with the name, and no two processes ever have the same. */
  readonly token: string;
}

/**
 * Names a process: `WHERRY_POLLER_NAME` as it is given, else the host's name (in Kubernetes that of the pod) and the first digits of
 * the process's own id, because several pollers may run on one machine.
 *
 * @param given `WHERRY_POLLER_NAME`; empty counts as not given
 * @param id a fresh UUID
 */
export function pollerIdentity(given: string | undefined, host: string, id: string): PollerIdentity {
  if (given !== undefined && given !== '') {
    const name = cleaned(given, NAME_LENGTH_MAX);
    return { name, token: `${name}-${id}` };
  }
  const base = cleaned(host, NAME_LENGTH_MAX - SUFFIX_LENGTH - 1);
  return { name: `${base}-${id.slice(0, SUFFIX_LENGTH)}`, token: `${base}-${id}` };
}

function cleaned(name: string, length: number): string {
  return name.replaceAll(NAME_CHARACTERS, '-').slice(0, length) || 'poller';
}
