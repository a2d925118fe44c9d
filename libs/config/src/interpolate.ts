import type { Node, ScalarNode } from './node.ts';
import { mapNodes } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { scalarValue } from './scalar-type.ts';

/** Where values come from. */
export interface ValueSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The content of a secret's file; throws an Error whose message says why it cannot be read. */
  readonly readFile: (path: string, relativeTo: string) => string;
  /** Told every value that was used, so that the configuration's hash covers it. */
  readonly used: (value: string) => void;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A form that cannot be replaced: offsets are inside the scalar's text. */
interface Fault {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly help?: string;
}

/**
 * Replaces `${VAR}`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?text}`, `${file:path}` and `$$` in every value of a parsed tree.
 * Keys are left alone, and a value can never add keys or lines, because the text is not parsed again. What was unquoted gets its
 * type after the replacement; what was quoted stays text. `!Sub` has variables and an escape of its own, see `resolveReferences`.
 */
export function interpolate(tree: Node, sources: ValueSources, problems: ProblemList): Node {
  return mapNodes(tree, (scalar) => {
    if (scalar.kind !== 'scalar' || !scalar.text.includes('$') || scalar.tag === '!Sub' || scalar.broken) return undefined;
    const faults: Fault[] = [];
    const text = substitute(scalar.text, scalar.place.file.name, sources, faults);
    for (const fault of faults) reportFault(scalar, fault, problems);
    if (faults.length > 0) return { ...scalar, broken: true };
    return { ...scalar, text, value: scalar.plain ? scalarValue(text) : text, interpolated: text !== scalar.text };
  });
}

function substitute(text: string, file: string, sources: ValueSources, faults: Fault[]): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf('$', at);
    if (next === -1) break;
    result += text.slice(at, next);
    if (text.startsWith('$$', next)) {
      result += '$';
      at = next + 2;
    } else if (text.startsWith('${', next)) {
      const end = text.indexOf('}', next);
      if (end === -1) {
        faults.push({ start: next, end: text.length, message: 'this ${ has no closing }', help: 'for a dollar sign write $$' });
        return result;
      }
      result += lookUp(text.slice(next + 2, end), { start: next, end: end + 1 }, file, sources, faults);
      at = end + 1;
    } else {
      result += '$';
      at = next + 1;
    }
  }
  return result + text.slice(at);
}

function lookUp(expression: string, span: { start: number; end: number }, file: string, sources: ValueSources, faults: Fault[]): string {
  if (expression.startsWith('file:')) {
    try {
      // Docker and Kubernetes secrets usually end in a line break that is not part of the secret.
      const content = sources.readFile(expression.slice('file:'.length), file).replace(/\r?\n$/, '');
      sources.used(content);
      return content;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push({ ...span, message: `cannot read the file ${expression.slice('file:'.length)}: ${reason}` });
      return '';
    }
  }
  const [, name = '', operator, rest = ''] = /^(.*?)(?:(:-|:\?|-|\?)([\s\S]*))?$/.exec(expression) ?? [];
  if (!NAME.test(name) || operator === '?') {
    const help = 'write ${VAR}, ${VAR:-default}, ${VAR-default}, ${VAR:?text} or ${file:path}; for a dollar sign write $$';
    faults.push({ ...span, message: `"\${${expression}}" is no known form`, help });
    return '';
  }
  const set = Object.hasOwn(sources.env, name) ? sources.env[name] : undefined;
  const isMissing = operator === ':-' || operator === ':?' ? set === undefined || set === '' : set === undefined;
  if (!isMissing) {
    sources.used(set ?? '');
    return set ?? '';
  }
  if (operator === ':-' || operator === '-') return rest;
  if (operator === ':?')
    faults.push({ ...span, message: rest === '' ? `environment variable ${name} is not set` : rest, help: `export ${name}=…` });
  else {
    const help = `export ${name}=…, or give a default: \${${name}:-value}`;
    faults.push({ ...span, message: `environment variable ${name} is not set`, help });
  }
  return '';
}

/** Points at the form itself where the scalar's text stands in the file as it is, else at the scalar. */
function reportFault(scalar: ScalarNode, fault: Fault, problems: ProblemList): void {
  const { file, start, end } = scalar.place;
  const raw = file.text.slice(start, end);
  const form = scalar.text.slice(fault.start, fault.end);
  const before = scalar.text.slice(0, fault.start).split(form).length - 1;
  let offset = raw.indexOf(form);
  for (let seen = 0; seen < before && offset !== -1; seen++) offset = raw.indexOf(form, offset + form.length);
  const place = offset === -1 ? scalar.place : { file, start: start + offset, end: start + offset + form.length };
  const details = fault.help === undefined ? {} : { help: fault.help };
  problems.add('error', place, '', 'interpolation', fault.message, details);
}
