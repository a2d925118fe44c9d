/** A JSON value with what `JSON.parse` forgets: the source text of numbers, and keys that are written twice. */
export type PlainJson =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, PlainJson])[] }
  | { readonly kind: 'array'; readonly items: readonly PlainJson[] }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: boolean | null };

const TOKEN = /\s*([{}[\],:]|"(?:[^"\\]|\\.)*"|-?[0-9.]+(?:[eE][+-]?[0-9]+)?|true|false|null)/y;

/**
 * Reads JSON that is known to be valid, slowly and plainly; an own reader, so that it has nothing in common with the reader of
 * patterns that it helps to judge.
 */
export function readPlainJson(text: string): PlainJson {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) tokens.push(match[1] ?? '');
  let at = 0;
  const next = (): string => {
    const token = tokens[at++];
    if (token === undefined) throw new Error(`Not valid JSON: ${text}`);
    return token;
  };
  const readObject = (): PlainJson => {
    const entries: [string, PlainJson][] = [];
    for (let token = next(); token !== '}'; token = next()) {
      if (token === ',') continue;
      const key = unquote(token);
      next();
      entries.push([key, read(next())]);
    }
    return { kind: 'object', entries };
  };
  const readArray = (): PlainJson => {
    const items: PlainJson[] = [];
    for (let token = next(); token !== ']'; token = next()) if (token !== ',') items.push(read(token));
    return { kind: 'array', items };
  };
  const read = (token: string): PlainJson => {
    if (token === '{') return readObject();
    if (token === '[') return readArray();
    if (token.startsWith('"')) return { kind: 'string', text: unquote(token) };
    if (token === 'null') return { kind: 'literal', value: null };
    if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
    return { kind: 'number', text: token };
  };
  return read(next());
}

function unquote(token: string): string {
  return JSON.parse(token) as string;
}
