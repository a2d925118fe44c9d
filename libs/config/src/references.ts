import type { Node, ScalarNode } from './node.ts';
import { entriesAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { didYouMean } from './suggest.ts';

interface Names {
  /** `resources:` of the file, plus the names of functions, which stand for themselves. */
  readonly resources: ReadonlyMap<string, string>;
  readonly pseudo: Readonly<Record<string, string>>;
}

/**
 * Replaces `!Ref`, `!GetAtt` and `!Sub` (and their long forms) by what `resources:` says. `!Ref` of a function is its name. In
 * `!Sub`, `AWS::Region`, `AWS::AccountId`, `AWS::Partition` and `AWS::URLSuffix` are those of the fleet.
 */
export function resolveReferences(tree: Node, problems: ProblemList): Node {
  const resources = new Map<string, string>();
  for (const [name] of entriesAt(tree, 'functions')) resources.set(name, name);
  for (const [name] of entriesAt(tree, 'resources')) {
    const value = textAt(tree, 'resources', name);
    if (value !== undefined) resources.set(name, value);
  }
  const region = textAt(tree, 'aws', 'region') ?? textAt(tree, 'fleet', 'region') ?? 'us-east-1';
  const pseudo = {
    'AWS::Region': region,
    'AWS::AccountId': textAt(tree, 'fleet', 'accountId') ?? '000000000000',
    'AWS::Partition': region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws',
    'AWS::URLSuffix': region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com',
  };
  return walk(tree, { resources, pseudo }, problems);
}

function walk(node: Node, names: Names, problems: ProblemList): Node {
  if (node.tag !== undefined) return resolveTag(node, names, problems);
  if (node.kind === 'scalar') return node;
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => walk(item, names, problems)) };
  const entries = new Map([...node.entries].map(([key, entry]) => [key, { key: entry.key, value: walk(entry.value, names, problems) }]));
  return { ...node, entries };
}

function resolveTag(node: Node, names: Names, problems: ProblemList): Node {
  const texts = node.kind === 'list' ? node.items.map((item) => textAt(item) ?? '') : [textAt(node) ?? ''];
  const [first = '', attribute = ''] = node.tag === '!GetAtt' && node.kind !== 'list' ? first2(texts[0] ?? '') : texts;
  const { tag, ...rest } = node;
  const known = node.kind !== 'map' && (node.kind !== 'list' || tag === '!GetAtt') && first !== '';
  if (!known) {
    const help = tag === '!Sub' ? 'only !Sub "text with ${Name}" is known' : `write ${tag} Name${tag === '!GetAtt' ? '.Arn' : ''}`;
    problems.error(node, 'bad-reference', `${tag} needs a name`, { help });
    return brokenScalar(node);
  }
  const value = tag === '!Sub' ? substitute(first, node, names, problems) : lookUp(first, attribute, node, names, problems);
  return value === undefined ? brokenScalar(node) : resolved(rest, value);
}

function first2(text: string): [string, string] {
  const dot = text.indexOf('.');
  return dot === -1 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

function resolved(rest: Omit<Node, 'tag'>, value: string): ScalarNode {
  const { place, path, keyPlace } = rest;
  return { place, path, ...(keyPlace ? { keyPlace } : {}), kind: 'scalar', value, text: value, plain: false, interpolated: true };
}

function brokenScalar(node: Node): ScalarNode {
  return { ...resolved(node, ''), broken: true };
}

function substitute(text: string, node: Node, names: Names, problems: ProblemList): string | undefined {
  let isGood = true;
  const result = text.replaceAll(/\$\{([^}]*)\}/g, (_, expression: string) => {
    if (expression.startsWith('!')) return `\${${expression.slice(1)}}`;
    const [name, attribute] = first2(expression.trim());
    const value = lookUp(name, attribute, node, names, problems);
    if (value === undefined) isGood = false;
    return value ?? '';
  });
  return isGood ? result : undefined;
}

function lookUp(name: string, attribute: string, node: Node, names: Names, problems: ProblemList): string | undefined {
  const value = names.resources.get(name) ?? (Object.hasOwn(names.pseudo, name) ? names.pseudo[name] : undefined);
  if (value !== undefined) return value;
  const nearest = didYouMean(name, [...names.resources.keys()]);
  const service = attribute === 'StreamArn' ? 'arn:aws:dynamodb:…' : 'arn:aws:sqs:…';
  const help = nearest === undefined ? `add to resources:  ${name}: ${service}` : `did you mean "${nearest}"?`;
  problems.error(node, 'unresolved-reference', `nothing under resources: is called "${name}"`, { help });
  return undefined;
}
