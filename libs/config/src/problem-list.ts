import type { Located, MapNode, Node } from './node.ts';
import type { Problem } from './problem.ts';
import type { Place } from './source-text.ts';
import { didYouMean } from './suggest.ts';

/** What a check says beyond code and message. */
export interface Details {
  readonly help?: string | undefined;
  readonly awsMessage?: string | undefined;
}

/** Faults for which the name that was meant is looked for among names of the user's own. */
const MAX_SUGGESTIONS = 200;

/** Collects problems while a configuration is read. One list serves all files of one configuration. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  #suggestions = 0;
  /** Members that are absent only because they were misspelt; they are not reported as missing. */
  readonly #misspelt = new Set<string>();

  get all(): readonly Problem[] {
    return this.#problems;
  }

  hasErrors(): boolean {
    return this.#problems.some((problem) => problem.severity === 'error');
  }

  /** Adds an error, unless one about this very value was reported before. */
  error(at: Located, code: string, message: string, details: Details = {}): void {
    if (at.broken) return;
    this.add('error', at.place, at.path, code, message, details);
  }

  warn(at: Located, code: string, message: string, details: Details = {}): void {
    this.add('warning', at.place, at.path, code, message, details);
  }

  notice(at: Located, code: string, message: string, details: Details = {}): void {
    this.add('notice', at.place, at.path, code, message, details);
  }

  /** Trouble with a file that has no text to point into. */
  fileError(file: string, code: string, message: string, help?: string): void {
    const problem = { severity: 'error' as const, file, line: 0, column: 0, endColumn: 0, path: '', code, message };
    this.#problems.push(help === undefined ? problem : { ...problem, help });
  }

  /** As `didYouMean`, for the first hundreds of faults: among thousands of names the thousandth suggestion takes time and helps nobody. */
  nearest(name: string, known: readonly string[]): string | undefined {
    this.#suggestions += 1;
    return this.#suggestions > MAX_SUGGESTIONS ? undefined : didYouMean(name, known);
  }

  /** An unknown key, with the nearest known one; a near miss also explains why that one is absent. */
  unknownField(parent: MapNode, key: string, known: readonly string[]): void {
    const entry = parent.entries.get(key);
    if (entry === undefined) return;
    const nearest = didYouMean(
      key,
      known.map((name) => parent.spelling?.get(name) ?? name),
    );
    const help =
      key === '<<'
        ? 'YAML 1.2 has no merge keys: repeat the fields, or use an alias for a whole value'
        : nearest && `did you mean "${nearest}"?`;
    this.error(entry.key, 'unknown-field', `unknown field "${key}"`, { help });
    if (nearest !== undefined) this.#misspelt.add(`${parent.path}\u0000${nearest}`);
  }

  /** A member that has to be there and is not; reported at the key of its parent, or at its own key when only the value is missing. */
  missing(parent: Node, name: string, details: Details = {}): void {
    if (parent.broken) return;
    const shown = (parent.kind === 'map' && parent.spelling?.get(name)) || name;
    const own = parent.kind === 'map' ? parent.entries.get(name) : undefined;
    if (own !== undefined) {
      if (!own.value.broken) this.error(own.key, 'missing-value', `${shown} has no value`, details);
      return;
    }
    if (this.#misspelt.has(`${parent.path}\u0000${shown}`)) return;
    const place = parent.keyPlace ?? { ...parent.place, end: parent.place.start };
    const path = parent.path === '' ? shown : `${parent.path}.${shown}`;
    this.add('error', place, path, 'missing-field', `missing field "${shown}"`, details);
  }

  add(severity: Problem['severity'], place: Place, path: string, code: string, message: string, details: Details): void {
    const { line, column } = place.file.position(place.start);
    const end = place.file.position(Math.max(place.start, place.end));
    const lineEnd = place.file.line(line).length + 1;
    // A value of several lines is marked to the end of its first one.
    const endColumn = Math.max(column + 1, Math.min(end.line === line ? end.column : lineEnd, lineEnd));
    this.#problems.push({
      severity,
      file: place.file.name,
      line,
      column,
      endColumn,
      path,
      code,
      message,
      ...(details.help === undefined ? {} : { help: details.help }),
      ...(details.awsMessage === undefined ? {} : { awsMessage: details.awsMessage }),
      sourceLine: place.file.line(line),
    });
  }
}
