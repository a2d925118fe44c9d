import { explainMismatch } from '@wherry/core/event-pattern/explain-match';
import { compilePatterns } from '@wherry/core/event-pattern/matcher';
import { parsePattern } from '@wherry/core/event-pattern/parse-pattern';
import type { EventPattern } from '@wherry/core/event-pattern/pattern';
import { readEvent } from './event-text.ts';
import { nameOf, readGiven, utf8Text } from './given-text.ts';
import { ExitCode, UsageError, type Io } from './io.ts';
import { mismatchJson, mismatchLines } from './mismatch-text.ts';
import { faultInText } from './text-fault.ts';

/** The arguments of `wherry filter test`. */
export interface FilterTestOptions {
  /** Name of a mapping, whose filters are then tested instead of one pattern. */
  readonly mapping?: string;
  readonly config: string;
  /** JSON text, or `@` and the name of a file. */
  readonly pattern?: string;
  /** File with the event, or `-`. */
  readonly event?: string;
  readonly ndjson?: boolean;
  readonly json?: boolean;
}

/**
 * `wherry filter test`: whether an event matches a pattern or the filters of a mapping, and why not.
 *
 * @returns 0 for a match, 1 for none; bad input of any kind is bad usage
 */
export async function filterTest(io: Io, options: FilterTestOptions): Promise<number> {
  const { mapping, pattern, event, ndjson } = options;
  if (ndjson === true) {
    const extra = mapping !== undefined ? 'a mapping' : pattern !== undefined ? '--pattern' : event !== undefined ? '--event' : undefined;
    if (extra !== undefined) throw new UsageError(`--ndjson takes patterns and events from standard input, not from ${extra}`);
    const { filterNdjson } = await import('./filter-ndjson.ts');
    return filterNdjson(io);
  }
  if (mapping !== undefined && pattern !== undefined) throw new UsageError('name a mapping or give --pattern, not both');
  if (mapping === undefined && pattern === undefined) throw new UsageError('name a mapping, or give --pattern or --ndjson');
  if (event === undefined || event === '')
    throw new UsageError('name the file with the event: --event FILE, or --event - for standard input');
  if (mapping !== undefined) {
    const { filterTestMapping } = await import('./filter-test-mapping.ts');
    return filterTestMapping(io, { mapping, event, config: options.config, json: options.json === true });
  }
  return testPattern(io, await givenPattern(io, pattern ?? ''), event, options.json === true);
}

async function testPattern(io: Io, pattern: EventPattern, file: string, isJson: boolean): Promise<number> {
  const text = utf8Text(await readGiven(io, file), file).replace(/^\uFEFF/, '');
  const result = readEvent(text, pattern.needsNumberText);
  if (!result.ok) throw faultInText({ message: result.reason, name: nameOf(file), text, offset: result.offset });
  const mismatch = compilePatterns([pattern]).matches(result.event) ? undefined : explainMismatch(pattern, text);
  if (isJson) {
    io.stdout.write(
      `${JSON.stringify({ match: mismatch === undefined, ...(mismatch && { failed: mismatchJson(mismatch) }) }, undefined, 2)}\n`,
    );
  } else {
    io.stdout.write(mismatch === undefined ? 'match\n' : `no match\n${mismatchLines(mismatch).join('\n')}\n`);
  }
  return mismatch === undefined ? ExitCode.ok : ExitCode.failed;
}

async function givenPattern(io: Io, given: string): Promise<EventPattern> {
  const file = given.startsWith('@') ? given.slice(1) : undefined;
  if (file === '' || file === '-') throw new UsageError('--pattern @FILE needs the name of a file');
  // What an editor puts around the text is no part of the pattern, whose length is limited.
  const text = file === undefined ? given : utf8Text(await readGiven(io, file), file).replace(/^\uFEFF|\r?\n$/g, '');
  const result = parsePattern(text);
  if (result.ok) return result.pattern;
  const help =
    /^\s*\{/.test(text) || file !== undefined ? undefined : 'a pattern is JSON such as {"a":["x"]}; --pattern @FILE reads a file';
  throw faultInText({
    message: `the pattern is not valid: ${result.reason}`,
    name: file ?? '--pattern',
    text,
    offset: result.offset,
    ...(help === undefined ? {} : { help }),
  });
}
