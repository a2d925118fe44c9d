/**
 * Settings of Node.js that would break a promise of Wherry's: TLS certificates are verified, and events stay in memory. Each with the
 * reason that is shown.
 */
const HOSTILE_OPTIONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^--(inspect|debug)/, 'an inspector can read every event in memory'],
  [/^--heapsnapshot-/, 'a heap snapshot writes events to disk'],
  [/^--heap-prof/, 'a heap profile writes to disk'],
  [/^--(report|experimental-report|diagnostic-report)-?/, 'a diagnostic report writes memory and environment to disk'],
  [/^--abort-on-uncaught-exception$/, 'a core dump writes events to disk'],
  [/^--tls-keylog/, 'logged TLS keys make recorded traffic readable'],
  [/^--tls-min-v1\.[01]$/, 'TLS below 1.2 is not accepted'],
  [/^--insecure-http-parser$/, 'it lets requests be smuggled'],
];

/**
 * Why this process must not start in this environment.
 *
 * @param env the environment
 * @param execArgv options given to `node` itself (`process.execArgv`)
 * @returns one line per finding, each naming the variable; empty when all is well
 */
export function hostileEnvironment(env: Readonly<Record<string, string | undefined>>, execArgv: readonly string[]): string[] {
  const findings: string[] = [];
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    findings.push(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 turns off the verification of every TLS certificate: unset it, and name a private CA with NODE_EXTRA_CA_CERTS',
    );
  }
  const given = [
    ...optionsOf(env['NODE_OPTIONS'] ?? '').map((option) => ['NODE_OPTIONS', option] as const),
    ...execArgv.map((option) => ['the command line of node', option] as const),
  ];
  for (const [where, option] of given) {
    // Node takes --tls_min and --tls-min alike.
    const spelled = option.replaceAll('_', '-');
    const found = HOSTILE_OPTIONS.find(([pattern]) => pattern.test(spelled));
    if (found !== undefined) findings.push(`${where} has ${option}: ${found[1]}; remove it`);
  }
  return findings;
}

/** Splits as Node does: at spaces, but not inside double quotes. */
function optionsOf(text: string): string[] {
  return (text.match(/(?:"(?:\\.|[^"])*"|[^\s"])+/g) ?? []).map((option) => option.replaceAll('"', ''));
}
