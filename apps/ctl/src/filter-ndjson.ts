import { jsonFault, readEvent } from './event-text.ts';
import { ExitCode, UsageError, type Io } from './io.ts';
import { splitPair, textOf } from './line-pair.ts';
import { LineFault, readLines } from './line-reader.ts';
import { PatternCache } from './pattern-cache.ts';

/**
 * `wherry filter test --ndjson`: answers each line of standard input, such as `{"pattern":{"a":[1]},"event":{"a":1}}`, with one line
 * `{"match":true}`, `{"match":false}` or `{"error":"reason","offset":3}`. An answer is written as soon as its line is there, and no more is read
 * while nobody takes the answers.
 *
 * @returns 0 once every line is answered, whatever the answers
 */
export async function filterNdjson({ stdin, stdout }: Pick<Io, 'stdin' | 'stdout'>): Promise<number> {
  if (!isReadable(stdin)) throw new UsageError('--ndjson reads standard input, and there is none');
  const patterns = new PatternCache();
  for await (const lines of readLines(stdin)) {
    let answers = '';
    for (const line of lines) answers += `${line instanceof LineFault ? errorAnswer(line.reason, 0) : answerTo(line, patterns)}\n`;
    if (stdout.write(answers) === false) await drained(stdout);
  }
  return ExitCode.ok;
}

/** True for standard input that can be read. */
export function isReadable(stdin: Io['stdin']): stdin is Io['stdin'] & AsyncIterable<Uint8Array | string> {
  return stdin[Symbol.asyncIterator] !== undefined;
}

async function drained(stdout: Io['stdout']): Promise<void> {
  if (stdout.once === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  stdout.once('drain', resolve);
  await promise;
}

function answerTo(line: string, patterns: PatternCache): string {
  const pair = splitPair(line);
  if (pair?.pattern === undefined || pair.event === undefined) return lineAnswer(line);
  const patternText = textIn(pair.pattern);
  const eventText = textIn(pair.event);
  if (patternText === undefined || eventText === undefined) return lineAnswer(line);
  const pattern = patterns.get(patternText);
  // Whether the line itself is JSON has not been looked at; only where something is wrong it matters.
  if (!pattern.ok) return lineFaultAnswer(line) ?? errorAnswer(pattern.reason, pattern.offset);
  const result = readEvent(eventText, pattern.set.needsNumberText);
  if (!result.ok) return lineFaultAnswer(line) ?? errorAnswer(result.reason, result.offset);
  return pattern.set.matches(result.event) ? '{"match":true}' : '{"match":false}';
}

/** The text that a member holds if it is a string, else the member's own text; undefined for a string that is broken. */
function textIn(json: string): string | undefined {
  return json.startsWith('"') ? textOf(json) : json;
}

function lineAnswer(line: string): string {
  if (line.trim() === '') return errorAnswer('the line is empty', 0);
  return lineFaultAnswer(line) ?? errorAnswer('the line is not an object with "pattern" and "event"', 0);
}

/** The answer to a line that is not JSON; undefined if it is. */
function lineFaultAnswer(line: string): string | undefined {
  const fault = jsonFault(line);
  return fault === undefined ? undefined : errorAnswer(`the line is not JSON: ${fault.reason}`, fault.offset);
}

function errorAnswer(error: string, offset: number): string {
  return JSON.stringify({ error, offset });
}
