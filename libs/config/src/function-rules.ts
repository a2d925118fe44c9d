import type { NetworkPolicy } from '@wherry/core/address';
import { isAddressRange, urlRefusal } from '@wherry/core/address';
import { checkDeadLetterConfig, checkDestination } from './destination-rules.ts';
import type { MapNode, Node } from './node.ts';
import { entriesAt, entryOf, isSet, mapAt, nodeAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { FUNCTION_NAME_PATTERN, NAME_PATTERN } from './schema-fields.ts';

/** A function's name or ARN: region, name, qualifier. */
const LAMBDA_NAME = /^(?:arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:function:)?([A-Za-z0-9_-]+)(?::(\$LATEST|[A-Za-z0-9_-]+))?$/;

const TARGET_KINDS = ['lambda', 'rie', 'http'];

/** The rules of functions that a schema cannot state: one target each, addresses that may be called, destinations that exist. */
export function checkFunctions(tree: MapNode, problems: ProblemList): void {
  const policy = networkPolicy(tree);
  for (const [name, entry] of entriesAt(tree, 'functions')) {
    if (!FUNCTION_NAME_PATTERN.test(name)) {
      const help = 'letters, digits, dashes and underscores, 64 at most (Lambda has the same rule)';
      problems.error(entry.key, 'bad-name', `"${name}" cannot be the name of a function`, { help });
    }
    const fn = entry.value;
    if (fn.kind !== 'map') continue;
    checkTarget(fn, policy, problems);
    checkEventInvokeConfig(fn, tree, name, problems);
    checkDeadLetterConfig(fn, tree, name, problems);
    for (const [, alias] of entriesAt(fn, 'aliases')) {
      if (alias.value.kind !== 'map') continue;
      if (alias.value.entries.has('target')) checkTarget(alias.value, policy, problems);
      checkEventInvokeConfig(alias.value, tree, name, problems);
    }
  }
  for (const [name, entry] of entriesAt(tree, 'mappings')) {
    if (NAME_PATTERN.test(name)) continue;
    const help = 'letters, digits, dots, dashes and underscores, 128 at most';
    problems.error(entry.key, 'bad-name', `"${name}" cannot be the name of a mapping`, { help });
  }
}

/** The `network:` block as far as it is readable; faulty parts are reported with the other settings. */
export function networkPolicy(tree: MapNode): NetworkPolicy {
  const block = nodeAt(tree, ['network', 'blockPrivate']);
  const allow = nodeAt(tree, ['network', 'allow']);
  return {
    blockPrivate: block?.kind === 'scalar' && block.value === true,
    allow: allow?.kind === 'list' ? allow.items.map((item) => textAt(item) ?? '').filter(isAddressRange) : [],
  };
}

function checkTarget(holder: MapNode, policy: NetworkPolicy, problems: ProblemList): void {
  const target = mapAt(holder, 'target');
  if (target === undefined) return;
  const chosen = TARGET_KINDS.filter((kind) => isPresent(entryOf(target, kind)?.value));
  const isMisspelt = [...target.entries.keys()].some((key) => !TARGET_KINDS.includes(key));
  const place = { place: target.keyPlace ?? target.place, path: target.path };
  if (chosen.length > 1) problems.error(place, 'one-target', `expected exactly one of lambda, rie, http; got ${chosen.join(' and ')}`);
  if (chosen.length === 0 && !isMisspelt) problems.error(place, 'one-target', 'expected exactly one of lambda, rie, http; got none');
  checkUrl(nodeAt(target, ['http', 'url']), policy, problems);
  checkLambda(mapAt(target, 'lambda'), problems);
  const rie = mapAt(target, 'rie');
  if (rie === undefined) return;
  const urls = nodeAt(rie, ['urls']);
  const url = nodeAt(rie, ['url']);
  if (isPresent(url) && isPresent(urls)) problems.error(rie, 'one-url', 'expected either url or urls, got both');
  if (url === undefined && urls === undefined) problems.missing(rie, 'url', { help: 'such as url: "http://orders:8080"' });
  checkUrl(url, policy, problems);
  if (urls?.kind === 'list') for (const item of urls.items) checkUrl(item, policy, problems);
}

/** What an ARN says twice has to be the same: Lambda is asked in one region, and refuses two qualifiers that differ. */
function checkLambda(lambda: MapNode | undefined, problems: ProblemList): void {
  const [, region, , qualifier] = LAMBDA_NAME.exec(textAt(lambda, 'functionName') ?? '') ?? [];
  for (const path of [['aws', 'region'], ['region']]) {
    const own = nodeAt(lambda, path);
    const asked = textAt(own);
    if (own === undefined || asked === undefined || region === undefined || asked === region) continue;
    problems.error(own, 'other-region', `the function's ARN is in ${region}, not in ${asked}`, {
      help: 'remove the region, or correct the ARN',
    });
  }
  const own = nodeAt(lambda, ['qualifier']);
  const asked = textAt(own);
  if (own === undefined || asked === undefined || qualifier === undefined || asked === qualifier) return;
  problems.error(own, 'two-qualifiers', `functionName ends with the qualifier "${qualifier}", and qualifier is "${asked}"`, {
    help: 'keep one of them',
    awsMessage: 'The derived qualifier from the function name does not match the specified qualifier.',
  });
}

function isPresent(node: Node | undefined): boolean {
  return node !== undefined && !(node.kind === 'scalar' && node.value === null);
}

/** Refuses a URL that may never be called: wrong scheme, a user part, an address of the cloud's metadata service. */
export function checkUrl(node: Node | undefined, policy: NetworkPolicy, problems: ProblemList): void {
  const text = textAt(node);
  if (node === undefined || text === undefined) return;
  if (/^[\w.-]+(?::\d+)?(?:\/|$)/.test(text)) {
    // `localhost:8080` is a URL too, of the scheme "localhost".
    problems.error(node, 'blocked-url', `expected a URL with http:// or https://, got "${text}"`, { help: `did you mean http://${text}?` });
    return;
  }
  const refusal = urlRefusal(text, policy);
  if (refusal !== undefined) problems.error(node, 'blocked-url', refusal, { help: 'expected a URL such as http://orders:8080/events' });
}

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
function checkEventInvokeConfig(holder: MapNode, tree: MapNode, self: string, problems: ProblemList): void {
  const entry = entryOf(holder, 'EventInvokeConfig');
  if (entry?.value.kind !== 'map') return;
  if (!isSet(entry.value) && !entry.value.broken) {
    const awsMessage = 'You must specify at least one of error handling or destination setting.';
    problems.error(entry.key, 'empty-event-invoke-config', 'EventInvokeConfig needs at least one setting', { awsMessage });
  }
  checkDestination(entry.value, 'OnFailure', 'async', tree, problems, self);
  checkDestination(entry.value, 'OnSuccess', 'async', tree, problems, self);
}
