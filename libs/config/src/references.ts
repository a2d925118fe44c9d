import type { Node, ScalarNode } from './node.ts';
import { entriesAt, mapNodes, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';

interface Names {
  /** `resources:` of the file, plus the names of functions, which stand for themselves. */
  readonly resources: ReadonlyMap<string, string>;
  readonly pseudo: Readonly<Record<string, string>>;
}

/**
 * Replaces `!Ref`, `!GetAtt` and `!Sub` (and their long forms) by what `resources:` says. `!Ref` of a function is its name. In
 * `!Sub`, `AWS::Region`, `AWS::AccountId`, `AWS::Partition` and `AWS::URLSuffix` are those of the fleet.
 *
 * The text of `!Sub` means what it means in CloudFormation, so that a pasted one can stay as it is: `${Name}` is a resource,
 * `${!Literal}` becomes `${Literal}`, and every other dollar sign, `$$` too, stays as it is. Everywhere else `${VAR}` is a variable
 * of the environment and `$$` a dollar sign.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html
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
  return mapNodes(tree, (node) => (node.tag === undefined ? undefined : resolveTag(node, { resources, pseudo }, problems)));
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
  const nearest = problems.nearest(name, [...names.resources.keys()]);
  const help = nearest === undefined ? helpFor(name, attribute, node) : `did you mean "${nearest}"?`;
  const isFunction = fieldOf(node) === 'FunctionName';
  const message = `nothing under ${isFunction ? 'functions: or ' : ''}resources: is called "${name}"`;
  problems.error(node, 'unresolved-reference', message, { help });
  return undefined;
}

/** The field in which a reference stands. */
function fieldOf(node: Node): string {
  return node.path.slice(node.path.lastIndexOf('.') + 1);
}

/** What to write so that a reference stands for something, by the field that it stands in. */
function helpFor(name: string, attribute: string, node: Node): string {
  if (node.tag === '!Sub' && /^[A-Z][A-Z0-9_]*$/.test(name)) {
    return `!Sub knows no variables of the environment: leave !Sub out, or add to resources:  ${name}: \${${name}}`;
  }
  const field = fieldOf(node);
  if (field === 'FunctionName') return `add the function "${name}" under functions:, or to resources:  ${name}: name-of-the-function`;
  if (attribute === 'StreamArn') return `add to resources:  ${name}: arn:aws:dynamodb:…`;
  if (field === 'Stream') return `add to resources:  ${name}: arn:aws:kinesis:…`;
  return `add to resources:  ${name}: ${/^(?:Queue|EventSourceArn|TargetArn|Destination)$/.test(field) ? 'arn:aws:sqs:…' : 'what it stands for'}`;
}
