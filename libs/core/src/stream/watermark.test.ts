import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { array, assert, constantFrom, nat, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watermark } from './watermark.ts';

/** The rule as it is said: the last record of those that are terminal without a gap, looked for from the beginning. */
class PlainWatermark {
  readonly records: { readonly sequenceNumber: string; readonly lane: number; isTerminal: boolean }[] = [];

  add(lane: number, sequenceNumber: string): void {
    this.records.push({ sequenceNumber, lane, isTerminal: false });
  }

  pass(sequenceNumber: string): void {
    this.records.push({ sequenceNumber, lane: -1, isTerminal: true });
  }

  finish(lane: number, count: number): void {
    for (const each of this.records.filter((one) => one.lane === lane && !one.isTerminal).slice(0, count)) each.isTerminal = true;
  }

  unfinished(lane: number): number {
    return this.records.filter((one) => one.lane === lane && !one.isTerminal).length;
  }

  get sequenceNumber(): string | undefined {
    const open = this.records.findIndex(({ isTerminal }) => !isTerminal);
    const done = open === -1 ? this.records : this.records.slice(0, open);
    return done.at(-1)?.sequenceNumber;
  }
}

type Step = { readonly kind: 'add' | 'pass' | 'finish'; readonly lane: number; readonly count: number };
const step = record({ kind: constantFrom('add', 'add', 'pass', 'finish'), lane: nat(9), count: nat(40) });
const script = tuple(constantFrom(1, 2, 3, 10), array(step, { maxLength: 200, size: 'max' }));

/** Plays the steps on both. @returns the step after which they first differ */
function firstDifference(Subject: typeof Watermark, lanes: number, steps: readonly Step[]): string | undefined {
  const subject = new Subject(lanes);
  const plain = new PlainWatermark();
  let next = 0;
  for (const [index, { kind, lane: anyLane, count }] of steps.entries()) {
    const lane = anyLane % lanes;
    for (const one of [subject, plain]) {
      if (kind === 'pass') one.pass(`49${next}`);
      else if (kind === 'finish') one.finish(lane, Math.min(count, one === subject ? plain.unfinished(lane) : count));
      else for (let i = 0; i <= count; i += 1) one.add((lane + (i % 2)) % lanes, `49${next + i}`);
    }
    next += kind === 'add' ? count + 1 : 1;
    if (subject.sequenceNumber !== plain.sequenceNumber) {
      return `step ${index}: ${subject.sequenceNumber}, by the rule ${plain.sequenceNumber}`;
    }
  }
  return undefined;
}

describe('the watermark of a shard', () => {
  it('is what the plain rule says, whatever the lanes do', () => {
    const agrees = property(script, ([lanes, steps]) => firstDifference(Watermark, lanes, steps) === undefined);
    expect(() => assert(agrees, { numRuns: 300 })).not.toThrow();
  });

  it('stays below the oldest record that is not done, however far other lanes are', () => {
    const watermark = new Watermark(2);
    watermark.add(0, '1');
    for (let i = 2; i <= 200; i += 1) watermark.add(1, String(i));
    watermark.finish(1, 199);
    expect(watermark.sequenceNumber).toBeUndefined();
    expect(watermark.size).toBe(200);
    watermark.finish(0, 1);
    expect(watermark.sequenceNumber).toBe('200');
    expect(watermark.size).toBe(0);
  });

  it('FLT-12 moves past filtered records: at once when nothing is open, else with the record before them', () => {
    const watermark = new Watermark(1);
    watermark.pass('1');
    watermark.pass('2');
    expect(watermark.sequenceNumber).toBe('2');
    watermark.add(0, '3');
    watermark.pass('4');
    watermark.add(0, '5');
    expect([watermark.sequenceNumber, watermark.size]).toEqual(['2', 2]);
    watermark.finish(0, 1);
    expect(watermark.sequenceNumber).toBe('4');
    watermark.finish(0, 1);
    expect(watermark.sequenceNumber).toBe('5');
  });

  it('refuses a lane that does not exist', () => {
    expect(() => new Watermark(2).add(2, '1')).toThrow('there is no lane 2: expected 0 to 1');
  });
});

/** A watermark with a fault in its source. */
async function broken(piece: string, replacement: string): Promise<typeof Watermark> {
  const source = readFileSync(new URL('./watermark.ts', import.meta.url), 'utf8');
  if (!source.includes(piece)) throw new Error(`watermark.ts no longer contains: ${piece}`);
  const stripped = stripTypeScriptTypes(source.replace(piece, () => replacement));
  const module = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(stripped)}`)) as {
    Watermark: typeof Watermark;
  };
  return module.Watermark;
}

it.each([
  ['a watermark one too high: the oldest open record counts as done', 'this.#ahead[owner]! > 0', 'this.#ahead[owner]! >= 0'],
  ['a watermark one too low: the last record that is done is left out', 'this.#ahead[owner]! > 0', 'this.#ahead[owner]! > 1'],
  [
    'a watermark one too far: that of the record behind',
    '= this.#through[this.#head]!;',
    '= this.#through[(this.#head + 1) & (this.#through.length - 1)]!;',
  ],
  ['a watermark that follows the fastest lane', 'const owner = this.#laneOf[this.#head]!', 'const owner = lane'],
  ['a watermark that filtered records always move', 'if (this.#size === 0) this', 'if (this.#size >= 0) this'],
  ['a watermark that filtered records behind an open one never move', 'else this.#through[', 'else if (this.#size < 0) this.#through['],
  ['a list that grows out of order', 'through[i] = this.#through[slot]!', 'through[i] = this.#through[i]!'],
  ['a list that forgets the lanes when it grows', 'laneOf[i] = this.#laneOf[slot]!', 'laneOf[i] = 0'],
])('the reference catches %s', async (_, piece, replacement) => {
  const Mutant = await broken(piece, replacement);
  const agrees = property(script, ([lanes, steps]) => firstDifference(Mutant, lanes, steps) === undefined);
  expect(() => assert(agrees, { numRuns: 300 })).toThrow('Property failed');
});
