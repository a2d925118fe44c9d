import type { Located, MapNode, Node } from './node.ts';
import { entriesAt, isSet } from './node.ts';
import type { Problem } from './problem.ts';
import { ProblemList } from './problem-list.ts';

type When = 'present' | 'set' | 'true';

/**
 * What this version reads and checks but cannot do yet. Offering a feature means taking its line out.
 *
 * `*` stands for any name. `present`: the key alone counts; `set`: it has to hold something; `true`: it has to be switched on.
 */
const NOT_OFFERED: readonly (readonly [path: string, when: When, what: string])[] = [
  ['functions.*.EventInvokeConfig', 'present', 'EventInvokeConfig'],
  ['functions.*.DeadLetterConfig', 'set', 'DeadLetterConfig'],
  ['functions.*.aliases.*.EventInvokeConfig', 'present', 'EventInvokeConfig'],
  ['functions.*.aliases.*.target', 'present', 'a target of its own for an alias'],
  ['functions.*.onDestinationFailure', 'present', 'onDestinationFailure'],
  ['functions.*.rateLimit', 'present', 'rateLimit'],
  ['functions.*.tenantConcurrency', 'present', 'tenantConcurrency'],
  ['asyncQueue', 'present', 'the queue of asynchronous events (asyncQueue)'],
  ['redis.events', 'present', 'a Redis of its own for events (redis.events)'],
  ['api', 'present', 'the Lambda-compatible API (api)'],
  ['admin.console', 'true', 'the console'],
  ['admin.queues', 'true', 'the view of event queues'],
  ['admin.tls', 'set', 'TLS of the admin listener'],
  ['logging.payloads', 'set', 'logging of payloads'],
  ['tracing.enabled', 'true', 'tracing'],
];

/** Values of `set` features that ask for nothing. */
const HARMLESS: ReadonlyMap<string, string> = new Map([['logging.payloads', 'never']]);

/** One warning at each place of the configuration that this version cannot honour; pollers refuse to start while there is any. */
export function findNotOffered(tree: MapNode): readonly Problem[] {
  const problems = new ProblemList();
  const help = 'validate checks it; poller and up refuse to start with it';
  for (const [path, when, what] of NOT_OFFERED) {
    for (const { key, value } of matches(tree, path.split('.'))) {
      const isAsked = when === 'present' || (when === 'set' ? isSet(value) : value.kind === 'scalar' && value.value === true);
      const isHarmless = value.kind === 'scalar' && HARMLESS.get(path) === value.text;
      if (isAsked && !isHarmless) problems.warn(key, 'not-offered', `this version does not offer ${what} yet`, { help });
    }
  }
  return problems.all;
}

function matches(node: Node, path: readonly string[]): { key: Located; value: Node }[] {
  const [step, ...rest] = path;
  return entriesAt(node)
    .filter(([name]) => step === '*' || step === name)
    .flatMap(([, entry]) => (rest.length === 0 ? [entry] : matches(entry.value, rest)));
}
