import { describe, expect, test } from 'vitest';
import { filterNdjson } from './filter-ndjson.ts';
import { ExitCode } from './io.ts';

/** Sends pieces of input through the command, and gives what it wrote, write by write. */
async function send(...pieces: readonly (string | Uint8Array)[]): Promise<{ readonly code: number; readonly writes: readonly string[] }> {
  const writes: string[] = [];
  async function* stdin(): AsyncGenerator<string | Uint8Array> {
    yield* pieces;
  }
  const code = await filterNdjson({ stdin: stdin(), stdout: { write: (text) => writes.push(text) } });
  return { code, writes };
}

async function answer(line: string): Promise<unknown> {
  const { writes } = await send(`${line}\n`);
  const text = writes.join('');
  expect(text).toMatch(/^[^\n]+\n$/);
  return JSON.parse(text);
}

describe('a line with a pattern and an event', () => {
  test.each([
    ['{"pattern":{"a":[1]},"event":{"a":1.0}}', true],
    ['{"event":{"a":2},"pattern":{"a":[1]}}', false],
    ['{"pattern":"{\\"a\\":[1]}","event":"{\\"a\\":1}"}', true],
    ['{"pattern":{"a":[1]},"event":"{\\"a\\":1}","note":"ignored"}', true],
    ['{"pattern":{"a":[1234567890123456789]},"event":{"a":1234567890123456789}}', true],
    ['{"pattern":{"a":[1234567890123456789]},"event":{"a":1234567890123456788}}', false],
    ['{"pattern":"{\\"a\\":[1234567890123456789]}","event":"{\\"a\\":1234567890123456788}"}', false],
    ['{"pattern":{"a":[1],"a":[2]},"event":{"a":2}}', true],
    ['{"pattern":{"a":[1]},"event":{"a":1,"a":2}}', false],
    ['{"pattern":{"a":[0]},"pattern":{"a":[1]},"event":{"a":1}}', true],
    ['{"pattern":{"__proto__":[{"exists":true}]},"event":{"__proto__":1}}', true],
    ['{"pattern":{"toString":[{"exists":true}]},"event":{}}', false],
  ])('%s: %s', async (line, match) => {
    expect(await answer(line)).toEqual({ match });
  });

  test.each([
    ['an invalid pattern, inside its own text', '{"pattern": {"a":1},"event":{}}', '"a" must be an object or an array', 5],
    ['one given as a string, inside the text', '{"pattern":"{\\"\\u0061\\":1}","event":{}}', '"a" must be an object or an array', 5],
    ['a text that is no pattern', '{"pattern":"{\\"a\\":","event":{}}', 'Not JSON', 5],
    ['a value that is no pattern', '{"pattern":[1],"event":{}}', 'Filter is not an object', 0],
    ['an event that is not JSON, inside its text', '{"pattern":{"a":[1]},"event":"{\\"a\\" 1}"}', 'the event is not JSON', 5],
    ['an event that is not an object', '{"pattern":{"a":[1]},"event":" [1]"}', 'the event is not a JSON object', 1],
    ['a line that is not JSON', '{"pattern":{"a":[1]},"event":{"a":1,}}', 'the line is not JSON', 36],
    ['a line that ends early', '{"pattern":{"a":[1]},"event":{"a":1}', 'the line is not JSON', 36],
    ['a broken string', '{"pattern":"\\x","event":{}}', 'the line is not JSON', 12],
    ['a line without an event', '{"pattern":{"a":[1]}}', 'the line is not an object with "pattern" and "event"', 0],
    ['a line that is no object', '[1]', 'the line is not an object with "pattern" and "event"', 0],
    ['an empty line', '', 'the line is empty', 0],
  ])('of which something is wrong is answered with reason and offset: %s', async (_name, line, reason, offset) => {
    expect(await answer(line)).toEqual({ error: expect.stringContaining(reason), offset });
  });
});

function error(reason: string): object {
  return { error: expect.stringContaining(reason), offset: 0 };
}

test('each line has one answer, in order, whatever ends the lines; errors do not change the exit code', async () => {
  const good = '{"pattern":{"a":[1]},"event":{"a":1}}';
  const { code, writes } = await send(Buffer.from(`${good}\r\n\n${good}\nnonsense\n`), Buffer.from([0xff, 10]), good);
  const answers = writes
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(answers).toEqual([{ match: true }, error('empty'), { match: true }, error('not JSON'), error('not UTF-8'), { match: true }]);
  expect(code).toBe(ExitCode.ok);
});

test('a line is answered before the next one is there', async () => {
  const writes: string[] = [];
  async function* stdin(): AsyncGenerator<string> {
    yield '{"pattern":{"a":[1]},"event":{"a":1}}\n{"pattern"';
    expect(writes).toEqual(['{"match":true}\n']);
    yield ':{"a":[1]},"event":{"a":2}}\n';
    expect(writes).toEqual(['{"match":true}\n', '{"match":false}\n']);
  }
  await filterNdjson({ stdin: stdin(), stdout: { write: (text) => writes.push(text) } });
});

test('nothing more is read while nobody takes the answers', async () => {
  const events: string[] = [];
  const line = '{"pattern":{"a":[1]},"event":{"a":1}}\n';
  async function* stdin(): AsyncGenerator<string> {
    for (const name of ['first', 'second']) {
      events.push(`read ${name}`);
      yield line;
    }
  }
  const full = Promise.withResolvers<() => void>();
  const stdout = { write: () => false, once: (_event: 'drain', listener: () => void) => full.resolve(listener) };
  const done = filterNdjson({ stdin: stdin(), stdout });
  const drain = await full.promise;
  expect(events).toEqual(['read first']);
  stdout.write = () => true;
  drain();
  await done;
  expect(events).toEqual(['read first', 'read second']);
});

test('a pattern is compiled once for many lines, and thousands of patterns are no trouble', async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"pattern":{"a":[${index % 2_500}]},"event":{"a":${index % 2_500}}}\n`);
  const { writes } = await send(lines.join(''));
  expect(writes.join('')).toBe('{"match":true}\n'.repeat(5_000));
});

test('lines of megabytes are answered', async () => {
  const text = 'x'.repeat(10_000_000);
  const line = `{"pattern":{"a":[{"suffix":"xy"}]},"event":{"a":"${text}y"}}\n`;
  const pieces = Array.from({ length: Math.ceil(line.length / 65_536) }, (_, index) => line.slice(index * 65_536, (index + 1) * 65_536));
  expect((await send(...pieces)).writes).toEqual(['{"match":true}\n']);
});
