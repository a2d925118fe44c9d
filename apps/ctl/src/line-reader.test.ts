import { expect, test } from 'vitest';
import { LineFault, readLines } from './line-reader.ts';

/** The lines of each list, faults as their reasons. */
async function read(pieces: readonly (string | Uint8Array)[], bytesMax?: number): Promise<readonly (readonly string[])[]> {
  const lists: string[][] = [];
  async function* input(): AsyncGenerator<string | Uint8Array> {
    yield* pieces;
  }
  for await (const lines of readLines(input(), bytesMax)) {
    lists.push(lines.map((line) => (line instanceof LineFault ? `fault: ${line.reason}` : line)));
  }
  return lists;
}

test.each<[string, readonly (string | Uint8Array)[], readonly (readonly string[])[]]>([
  ['nothing is no line', [], []],
  ['empty lines are lines', ['\n\n'], [['', '']]],
  ['LF and CRLF end lines, a last one may go without', ['a\r\nb\nc'], [['a', 'b'], ['c']]],
  ['a line may come in pieces', ['a', 'b', 'c\nd', 'e\n'], [['abc'], ['de']]],
  ['CR and LF may come apart', ['a\r', '\nb'], [['a'], ['b']]],
  ['a character may come in pieces', [Buffer.from('é').subarray(0, 1), Buffer.from('é\n').subarray(1)], [['é']]],
  ['other line separators end nothing', ['a\u2028b\rc\n'], [['a\u2028b\rc']]],
  [
    'bytes that are not UTF-8 spoil their own line only',
    [Buffer.from([97, 10, 0xff, 10, 98, 10, 99, 10])],
    [['a', 'fault: the line is not UTF-8', 'b', 'c']],
  ],
])('%s', async (_name, pieces, expected) => {
  expect(await read(pieces)).toEqual(expected);
});

test('a line that is too long is read over, the ones around it are not', async () => {
  const fault = 'fault: the line is longer than 4 bytes';
  expect(await read(['abcd\nabc', 'de', 'f\nabcd'], 4)).toEqual([['abcd'], [fault], ['abcd']]);
});

test('a line is handed on before the next one is there', async () => {
  const asked: string[] = [];
  async function* input(): AsyncGenerator<string> {
    asked.push('first');
    yield 'a\nb';
    asked.push('second');
    yield 'c\n';
  }
  const lines = readLines(input());
  expect(await lines.next()).toEqual({ done: false, value: ['a'] });
  expect(asked).toEqual(['first']);
  expect(await lines.next()).toEqual({ done: false, value: ['bc'] });
});
