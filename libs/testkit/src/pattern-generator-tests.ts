import type { Random } from '@wherry/core/clock';
import { type EventScalar, randomScalar } from './pattern-generator-events.ts';
import { type Alphabet, pick, quote, respell } from './pattern-generator-values.ts';

/** An entry of a pattern's list that may or may not hold for anything. */
export function randomTest(random: Random, alphabet: Alphabet): string {
  return testFor(random, alphabet, randomScalar(random, alphabet));
}

/** An entry of a pattern's list that mostly holds for the value: the value itself, a part of it, a range around it … */
export function testFor(random: Random, alphabet: Alphabet, value: EventScalar): string {
  const chance = random();
  if (chance < 0.08) return '{"exists":true}';
  if (chance < 0.2) return `{"anything-but":${exclusion(random, alphabet)}}`;
  if ('literal' in value) return value.literal;
  if ('number' in value) return chance < 0.6 ? respell(random, value.number) : range(random, value.number);
  return chance < 0.5 ? quote(random, value.string) : textTest(random, value.string);
}

function textTest(random: Random, text: string): string {
  const characters = Array.from(text);
  const cut = characters.slice(0, Math.floor(random() * (characters.length + 1))).join('').length;
  const flip = (part: string): string => quote(random, pick(random, [part.toUpperCase(), part.toLowerCase(), part]));
  const blocks = ['10.0.0.0/24', '10.0.0.128/25', '0.0.0.0/0', '10.0.0.1/31', '2001:db8::/32', '2001:db8::f0/124', '::/0', '::1/127'];
  const forms: readonly (() => string)[] = [
    () => `{"prefix":${quote(random, text.slice(0, cut))}}`,
    () => `{"suffix":${quote(random, text.slice(cut))}}`,
    () => `{"prefix":{"equals-ignore-case":${flip(text.slice(0, cut))}}}`,
    () => `{"suffix":{"equals-ignore-case":${flip(text.slice(cut))}}}`,
    () => `{"equals-ignore-case":${flip(text)}}`,
    () => `{"wildcard":${quote(random, withStars(random, random() < 0.4 ? text.slice(0, cut) : text))}}`,
    () => `{"cidr":"${pick(random, blocks)}"}`,
  ];
  return pick(random, text.includes(':') || text.startsWith('10.') ? [...forms, () => `{"cidr":"${pick(random, blocks)}"}`] : forms)();
}

/** The text with parts replaced by `*`, of which there are few enough and no two together, so that the wildcard is accepted. */
function withStars(random: Random, text: string): string {
  let stars = 0;
  const parts = Array.from(random() < 0.2 ? ` ${text} ` : text, (character, index) => {
    if (stars < 4 && (character === ' ' || random() < 0.3)) {
      stars += 1;
      return '*';
    }
    return index > 0 && character === ' ' ? '' : character.replace(/[*\\]/, '\\$&');
  });
  return parts.join('').replace(/(?<!\\)((?:\\\\)*)\*{2,}/g, '$1*');
}

function range(random: Random, number: string): string {
  const value = Number(number);
  const near = (sign: number): string => {
    const other = value + sign * pick(random, [0.5, 1, 100]);
    return Number.isFinite(other) && Math.abs(other) < 1e15 ? String(other) : '';
  };
  const [below, above] = [near(-1), near(1)];
  const forms = [`"=",${number}`, `">=",${number}`, `"<=",${number}`, `">",${number}`, `"<",${number}`];
  if (below !== '') forms.push(`">",${below}`, `">=",${below},"<=",${number}`);
  if (above !== '') forms.push(`"<",${above}`, `">=",${number},"<",${above}`);
  if (below !== '' && above !== '') forms.push(`">",${below},"<",${above}`);
  return `{"numeric":[${pick(random, forms)}]}`;
}

function exclusion(random: Random, alphabet: Alphabet): string {
  const strings = (list: readonly string[]): string =>
    random() < 0.5 ? quote(random, pick(random, list)) : `[${quote(random, pick(random, list))},${quote(random, pick(random, list))}]`;
  const number = (): string => respell(random, pick(random, alphabet.numbers));
  const parts = alphabet.strings.filter((text) => text !== '');
  return pick(random, [
    () => strings(alphabet.strings),
    () => (random() < 0.5 ? number() : `[${number()},${number()}]`),
    () => `{"prefix":${strings(parts)}}`,
    () => `{"suffix":${strings(parts)}}`,
    () => `{"equals-ignore-case":${strings(alphabet.strings)}}`,
    () => `{"wildcard":${strings(alphabet.strings.map((text) => withStars(random, text)))}}`,
  ])();
}
