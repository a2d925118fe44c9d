import { classifyAddress, isAddressRange } from '@wherry/core/address';
import { checkUrl, networkPolicy } from './function-rules.ts';
import type { Entry, MapNode, Node, ScalarNode } from './node.ts';
import { entriesAt, entryOf, isSet, mapAt, nodeAt, numberAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { parseDuration, parseSize } from './quantity.ts';

/** Lambda's default of `Timeout`, seconds. */
const DEFAULT_TIMEOUT_SECONDS = 3;

/** Bounds of durations, in milliseconds: path, least, most. */
const DURATION_BOUNDS: readonly (readonly [path: string, least: string, most: string])[] = [
  ['leases.ttl', '2s', '10m'],
  ['leases.renewEvery', '100ms', '5m'],
  ['leases.rebalanceEvery', '1s', '1h'],
  ['reload.interval', '0s', '1d'],
  ['shutdown.grace', '0s', '1d'],
];

/** Labels that metrics carry of themselves; a second one of the same name would make a series that Prometheus refuses. */
const OWN_LABELS: ReadonlySet<string> = new Set(
  'mapping function source shard queue target outcome state action reason type condition code event command hash fleet poller version node le quantile'.split(
    ' ',
  ),
);

/** The rules of everything but functions and mappings: relations between settings, and what is unwise without being wrong. */
export function checkSettings(tree: MapNode, problems: ProblemList): void {
  for (const [path, least, most] of DURATION_BOUNDS) checkDuration(tree, path.split('.'), least, most, problems);
  checkLeases(tree, problems);
  checkGrace(tree, problems);
  checkBuffer(tree, problems);
  const redis = mapAt(tree, 'redis');
  if (redis !== undefined) checkRedis(redis, problems);
  const events = mapAt(tree, 'redis', 'events');
  if (events !== undefined) checkRedis(events, problems);
  checkAddresses(tree, problems);
  checkLabels(tree, problems);
  for (const name of ['api', 'admin']) checkListener(tree, name, problems);
  const isEmpty = entriesAt(tree, 'mappings').length === 0;
  const place = entryOf(tree, 'mappings')?.key ?? entryOf(tree, 'version')?.key;
  if (isEmpty && place && !mapAt(tree, 'api')) {
    problems.warn(place, 'no-mappings', 'no mappings defined', { help: 'a poller would have nothing to do' });
  }
}

function checkDuration(tree: MapNode, path: string[], least: string, most: string, problems: ProblemList): void {
  const node = nodeAt(tree, path);
  const ms = parseDuration(textAt(node) ?? '');
  if (node === undefined || ms === undefined || node.broken) return;
  if (ms >= (parseDuration(least) ?? 0) && ms <= (parseDuration(most) ?? 0)) return;
  problems.error(node, 'out-of-range', `expected a duration from ${least} to ${most}, got ${textAt(node)}`);
}

/** A lease has to survive two lost renewals, or one slow answer would take it from a healthy poller. */
function checkLeases(tree: MapNode, problems: ProblemList): void {
  const ttlText = textAt(tree, 'leases', 'ttl') ?? '10s';
  const renewText = textAt(tree, 'leases', 'renewEvery') ?? '3s';
  const ttl = parseDuration(ttlText);
  const renew = parseDuration(renewText);
  const at = nodeAt(tree, ['leases', 'renewEvery']) ?? nodeAt(tree, ['leases', 'ttl']);
  if (ttl === undefined || renew === undefined || at === undefined || renew * 3 <= ttl) return;
  problems.error(at, 'lease-relation', `leases.renewEvery ${renewText} is more than a third of leases.ttl ${ttlText}`, {
    help: `lower renewEvery to ${Math.floor(ttl / 3)}ms, or raise ttl`,
  });
}

function checkGrace(tree: MapNode, problems: ProblemList): void {
  const graceText = textAt(tree, 'shutdown', 'grace') ?? '110s';
  const grace = parseDuration(graceText);
  if (grace === undefined) return;
  for (const [name, entry] of entriesAt(tree, 'functions')) {
    const timeout = numberAt(entry.value, 'Timeout') ?? DEFAULT_TIMEOUT_SECONDS;
    const at = nodeAt(entry.value, ['Timeout']) ?? nodeAt(tree, ['shutdown', 'grace']);
    if (timeout * 1000 <= grace || at === undefined) continue;
    problems.warn(at, 'grace-too-short', `shutdown.grace ${graceText} is shorter than Timeout ${timeout} s of function "${name}"`, {
      help: 'a stop cuts longer invocations off, and their records are delivered again',
    });
  }
}

/** One receive of ten messages of 1 MiB has to fit, or a full queue could never be read. */
function checkBuffer(tree: MapNode, problems: ProblemList): void {
  const node = nodeAt(tree, ['limits', 'bufferedBytes']);
  const bytes = parseSize(textAt(node) ?? '');
  if (node === undefined || bytes === undefined || bytes >= 16 * 1024 ** 2) return;
  problems.error(node, 'out-of-range', `expected at least 16MiB, got ${textAt(node)}`, {
    help: 'one receive of ten messages of 1 MiB has to fit',
  });
}

function checkRedis(redis: MapNode, problems: ProblemList): void {
  const ways = ['url', 'cluster', 'sentinel'].filter((way) => isSet(nodeAt(redis, [way])));
  if (ways.length > 1) {
    const at = { place: redis.keyPlace ?? redis.place, path: redis.path };
    problems.error(at, 'one-redis', `expected one of url, cluster, sentinel; got ${ways.join(' and ')}`);
  }
  checkRedisUrl(nodeAt(redis, ['url']), problems);
  const cluster = nodeAt(redis, ['cluster']);
  if (cluster?.kind === 'list') for (const item of cluster.items) checkRedisUrl(item, problems);
  const nodes = nodeAt(redis, ['sentinel', 'nodes']);
  if (nodes?.kind === 'list') {
    for (const item of nodes.items) {
      const text = textAt(item);
      if (text !== undefined && !/^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$/.test(text)) {
        problems.error(item, 'bad-address', 'expected host:port', { help: 'such as sentinel-1:26379' });
      }
    }
  }
  const password = nodeAt(redis, ['password']);
  if (password?.kind === 'scalar' && isSet(password) && !password.interpolated && !password.broken) warnOfPassword(password, problems);
}

function checkRedisUrl(node: Node | undefined, problems: ProblemList): void {
  const text = textAt(node);
  if (node?.kind !== 'scalar' || text === undefined) return;
  const url = /^rediss?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') {
    problems.error(node, 'bad-redis-url', 'expected a URL such as redis://127.0.0.1:6379 or rediss://redis.internal:6379');
    return;
  }
  if (url.password !== '' && !node.interpolated) {
    const { file, start, end } = node.place;
    file.hide(start, end);
    warnOfPassword(node, problems);
  }
  if (url.protocol === 'redis:' && classifyAddress(url.hostname) !== 'loopback') {
    const help = 'use rediss:// unless the network itself is trusted';
    problems.warn(node, 'redis-without-tls', `redis:// to ${url.hostname} is not encrypted`, { help });
  }
}

function warnOfPassword(node: ScalarNode, problems: ProblemList): void {
  problems.warn(node, 'password-in-file', 'the password stands in the file', {
    help: 'use ${REDIS_PASSWORD} or ${file:/run/secrets/redis}',
  });
}

function checkAddresses(tree: MapNode, problems: ProblemList): void {
  // Endpoints are the operator's own choice: what may never be called stays refused, but private networks are theirs to name.
  const policy = { ...networkPolicy(tree), blockPrivate: false };
  checkUrl(nodeAt(tree, ['aws', 'endpoint']), policy, problems);
  for (const [, entry] of entriesAt(tree, 'aws', 'endpoints')) checkUrl(entry.value, policy, problems);
  for (const [, entry] of entriesAt(tree, 'mappings')) checkUrl(nodeAt(entry.value, ['aws', 'endpoint']), policy, problems);
  for (const [, entry] of entriesAt(tree, 'functions'))
    checkUrl(nodeAt(entry.value, ['target', 'lambda', 'aws', 'endpoint']), policy, problems);
  checkUrl(nodeAt(tree, ['tracing', 'endpoint']), policy, problems);
  const allow = nodeAt(tree, ['network', 'allow']);
  if (allow?.kind !== 'list') return;
  for (const item of allow.items) {
    const text = textAt(item);
    if (text !== undefined && !isAddressRange(text))
      problems.error(item, 'bad-range', `expected a range such as 10.0.0.0/8, got "${text}"`);
  }
}

function checkLabels(tree: MapNode, problems: ProblemList): void {
  const fleetWide = new Set(entriesAt(tree, 'metrics', 'labels').map(([name]) => name));
  const check = ([name, entry]: [string, Entry], taken: boolean): void => {
    if (taken) problems.error(entry.key, 'label-taken', `"${name}" is a label that metrics have already`, { help: 'choose another name' });
  };
  for (const label of entriesAt(tree, 'metrics', 'labels')) check(label, OWN_LABELS.has(label[0]));
  for (const [, mapping] of entriesAt(tree, 'mappings')) {
    for (const label of entriesAt(mapping.value, 'labels')) check(label, OWN_LABELS.has(label[0]) || fleetWide.has(label[0]));
  }
}

function checkListener(tree: MapNode, name: string, problems: ProblemList): void {
  const node = nodeAt(tree, [name, 'listen']);
  const text = textAt(node);
  if (node === undefined || text === undefined || node.broken) return;
  const colon = text.lastIndexOf(':');
  if (Number(text.slice(colon + 1)) > 65_535) {
    problems.error(node, 'out-of-range', `expected a port from 0 to 65535, got ${text.slice(colon + 1)}`);
  }
  const isOpen = classifyAddress(text.slice(0, colon)) !== 'loopback' || /^(?:0\.0\.0\.0|\[::\])$/.test(text.slice(0, colon));
  if (!isOpen || isSet(nodeAt(tree, [name, 'auth']))) return;
  const message = `${name}.listen is open to other machines and asks nobody who they are`;
  if (name === 'api') problems.error(node, 'no-auth', message, { help: 'add api.auth, or say so with auth: { none: true }' });
  else problems.warn(node, 'no-auth', message, { help: 'add admin.auth.bearer.tokens, or listen on 127.0.0.1' });
}
