import { isUtf8 } from 'node:buffer';

/**
 * Longest line that is kept, in bytes. A runtime string could hold no more than half a gigabyte, and one line without an end must not
 * take the memory of everything else.
 */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

const LINE_FEED = 10;

/** A line that cannot be handed on as text. */
export class LineFault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * Splits bytes into lines. Each list holds the lines that one piece of input completed, so that whoever answers line by line can do
 * so as soon as they are there. Line ends are LF or CRLF; a last line may go without. What is kept is at most one unfinished line.
 *
 * @param bytesMax longest line; a longer one is read over, and a fault stands in its place
 * @returns lines without their ends, a `LineFault` for each that is too long or is not UTF-8
 */
export async function* readLines(
  input: AsyncIterable<Uint8Array | string>,
  bytesMax = LINE_BYTES_MAX,
): AsyncGenerator<readonly (string | LineFault)[]> {
  const unfinished = new UnfinishedLine(bytesMax);
  for await (const piece of input) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const first = bytes.indexOf(LINE_FEED);
    if (first === -1) {
      unfinished.add(bytes);
      continue;
    }
    unfinished.add(bytes.subarray(0, first));
    const lines = [unfinished.end()];
    const last = bytes.lastIndexOf(LINE_FEED);
    if (last > first) lines.push(...linesOf(bytes.subarray(first + 1, last)));
    unfinished.add(bytes.subarray(last + 1));
    yield lines;
  }
  if (unfinished.hasBegun) yield [unfinished.end()];
}

/** The bytes of a line whose end has not come yet. */
class UnfinishedLine {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get hasBegun(): boolean {
    return this.#length > 0;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    if (this.#length > this.#bytesMax) this.#pieces = [];
    else this.#pieces.push(bytes);
  }

  /** The line, now that its end is there; the next one begins. */
  end(): string | LineFault {
    const bytes = Buffer.concat(this.#pieces);
    const isTooLong = this.#length > this.#bytesMax;
    this.#pieces = [];
    this.#length = 0;
    return isTooLong ? new LineFault(`the line is longer than ${this.#bytesMax} bytes`) : lineOf(bytes);
  }
}

function linesOf(bytes: Buffer): readonly (string | LineFault)[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n').map(withoutReturn);
  const lines: (string | LineFault)[] = [];
  for (let from = 0, to = 0; from <= bytes.length; from = to + 1) {
    const end = bytes.indexOf(LINE_FEED, from);
    to = end === -1 ? bytes.length : end;
    lines.push(lineOf(bytes.subarray(from, to)));
  }
  return lines;
}

function lineOf(bytes: Buffer): string | LineFault {
  return isUtf8(bytes) ? withoutReturn(bytes.toString('utf8')) : new LineFault('the line is not UTF-8');
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
