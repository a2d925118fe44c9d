/** A stretch of one file, in UTF-16 offsets; `end` is exclusive. */
export interface Place {
  readonly file: SourceText;
  readonly start: number;
  readonly end: number;
}

/** The text of one configuration file with what is needed to point into it. */
export class SourceText {
  /** The name as the user gave it (or as an `include` found it); shown in every message. */
  readonly name: string;
  readonly text: string;
  readonly #lineStarts: number[];
  readonly #hidden: { start: number; end: number }[] = [];

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
    this.#lineStarts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  /** Line and column of an offset, both counted from 1; columns are UTF-16 units, as editors count them. */
  position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }

  /** Keeps a stretch (a literal secret) out of every quoted line. */
  hide(start: number, end: number): void {
    this.#hidden.push({ start, end });
  }

  /** The text of a line, counted from 1, without its line break; hidden stretches are starred, control characters made visible. */
  line(line: number): string {
    const start = this.#lineStarts[line - 1] ?? this.text.length;
    const end = (this.#lineStarts[line] ?? this.text.length + 1) - 1;
    let text = this.text.slice(start, end);
    for (const span of this.#hidden) {
      const from = Math.max(span.start, start) - start;
      const to = Math.min(span.end, end) - start;
      if (from < to) text = text.slice(0, from) + '*'.repeat(to - from) + text.slice(to);
    }
    // A file must not be able to steer the terminal that shows an error about it.
    // oxlint-disable-next-line no-control-regex
    return text.replace(/\r$/, '').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u00b7');
  }
}

/** The place of a whole first line, for trouble with a file as such. */
export function startOf(file: SourceText): Place {
  return { file, start: 0, end: 0 };
}
