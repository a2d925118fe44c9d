import { styleText } from 'node:util';

/** One line of live progress. */
export interface Progress {
  readonly name: string;
  readonly kind: string;
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

const barCells = 20;
const plainEveryMs = 2_000;

/**
 * Prints the story. On a terminal the progress lines are redrawn in place; anywhere else they come as plain lines every two
 * seconds, without colours or cursor movements, so that a pipe or a build log stays readable.
 */
export class Screen {
  #out: NodeJS.WriteStream;
  #isLive: boolean;
  #liveLines = 0;
  #lastPlainAtMs = Number.NEGATIVE_INFINITY;
  #startedAtMs = performance.now();

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#isLive = out.isTTY && process.env['CI'] === undefined;
  }

  /** A line that stays. */
  line(text = ''): void {
    this.#clearLive();
    this.#out.write(`${text}\n`);
  }

  title(text: string): void {
    this.line(this.#style('bold', text));
  }

  /** A finished step with a tick and the time since the story began. */
  done(text: string): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1);
    this.line(`  ${this.#style('green', '✓')} ${text.padEnd(62)} ${this.#style('dim', `${seconds} s`)}`);
  }

  /** Something the demo does to the fleet. */
  act(text: string): void {
    this.line(`  ${this.#style('yellow', '»')} ${text}`);
  }

  /** Something that this machine cannot show. */
  leftOut(text: string): void {
    this.line(`  ${this.#style('yellow', '-')} ${text}`);
  }

  fail(text: string): void {
    this.line(`  ${this.#style('red', '✗')} ${text}`);
  }

  /** Shows where things stand; cheap to call often. */
  progress(rows: readonly Progress[], isFinal = false): void {
    const text = rows.map((row) => this.#progressLine(row));
    // A line that wraps would take two rows of the screen, and the next redrawing would miss one of them.
    const width = this.#isLive ? this.#out.columns : Number.POSITIVE_INFINITY;
    const fitting = text.map((line) => (line.length < width ? line : `${line.slice(0, width - 2)}…`));
    if (this.#isLive) {
      this.#clearLive();
      this.#out.write(`${fitting.join('\n')}\n`);
      this.#liveLines = isFinal ? 0 : rows.length;
      return;
    }
    if (!isFinal && performance.now() - this.#lastPlainAtMs < plainEveryMs) return;
    this.#lastPlainAtMs = performance.now();
    this.#out.write(`${fitting.join('\n')}\n`);
  }

  #progressLine(row: Progress): string {
    const share = row.total === 0 ? 1 : row.done / row.total;
    const filled = Math.round(share * barCells);
    const bar = this.#isLive ? `${'█'.repeat(filled)}${'░'.repeat(barCells - filled)}  ` : '';
    const count = `${row.done.toLocaleString('en')}/${row.total.toLocaleString('en')}`;
    return `  ${row.name.padEnd(15)} ${row.kind.padEnd(9)} ${bar}${count.padStart(11)}   ${row.note}`;
  }

  #clearLive(): void {
    if (this.#liveLines === 0) return;
    this.#out.write(`\u001B[${this.#liveLines}A\u001B[J`);
    this.#liveLines = 0;
  }

  #style(style: 'bold' | 'green' | 'yellow' | 'red' | 'dim', text: string): string {
    return this.#isLive ? styleText(style, text, { stream: this.#out }) : text;
  }
}
