import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { array, assert, constantFrom, nat, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watermark } from './watermark.ts';

/**
 * The rule as it is said: of the records that are terminal without a gap, looked for from the beginning, the last one that no other of
 * its sequence number follows.
 */
class PlainWatermark {
  readonly records: { readonly sequenceNumber: string; readonly lane: number; readonly isWithin: boolean; isTerminal: boolean }[] = [];

  add(lane: number, sequenceNumber: string, isWithin: boolean): void {
    this.records.push({ sequenceNumber, lane, isWithin, isTerminal: false });
  }

  pass(sequenceNumber: string, isWithin: boolean): void {
    this.records.push({ sequenceNumber, lane: -1, isWithin, isTerminal: true });
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
    return done.findLast(({ isWithin }) => !isWithin)?.sequenceNumber;
  }
}

interface Step {
  readonly kind: 'add' | 'pass' | 'finish';
  readonly lane: number;
  readonly count: number;
  /** Bits: which of the records of the step others of the same sequence number follow. */
  readonly within: number;
}
const kind = constantFrom<Step['kind'][]>('add', 'add', 'pass', 'finish');
const step = record({ kind, lane: nat(9), count: nat(40), within: constantFrom(0, 0, 1, 2, 3, 6, 7) });
const script = tuple(constantFrom(1, 2, 3, 10), array(step, { maxLength: 200, size: 'max' }));

/** Plays the steps on both. @returns the step after which they first differ */
function firstDifference(Subject: typeof Watermark, lanes: number, steps: readonly Step[]): string | undefined {
  const subject = new Subject(lanes);
  const plain = new PlainWatermark();
  let number = 0;
  for (const [index, { kind: what, lane: anyLane, count, within }] of steps.entries()) {
    const lane = anyLane % lanes;
    if (what === 'finish') {
      const finished = Math.min(count, plain.unfinished(lane));
      for (const one of [subject, plain]) one.finish(lane, finished);
    }
    const records = { add: count + 1, pass: 1, finish: 0 }[what];
    for (let i = 0; i < records; i += 1) {
      const isWithin = ((within >> (i % 3)) & 1) === 1;
      for (const one of [subject, plain]) {
        if (what === 'pass') one.pass(`49${number}`, isWithin);
        else one.add((lane + (i % 2)) % lanes, `49${number}`, isWithin);
      }
      if (!isWithin) number += 1;
    }
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

  it('LIF-11 stays below an aggregate until the last of its records is done, whatever their lanes and filters', () => {
    const watermark = new Watermark(2);
    watermark.add(0, '1');
    watermark.add(0, '2', true);
    watermark.add(1, '2', true);
    watermark.pass('2', true);
    watermark.add(0, '2');
    watermark.finish(0, 3);
    expect([watermark.sequenceNumber, watermark.size]).toEqual(['1', 2]);
    watermark.finish(1, 1);
    expect([watermark.sequenceNumber, watermark.size]).toEqual(['2', 0]);
  });

  it('LIF-11 waits for the rest of an aggregate that has not been read yet, and for a last record that is filtered out', () => {
    const watermark = new Watermark(1);
    watermark.pass('1');
    watermark.pass('2', true);
    watermark.add(0, '2', true);
    watermark.finish(0, 1);
    expect([watermark.sequenceNumber, watermark.size]).toEqual(['1', 0]);
    watermark.add(0, '2', true);
    watermark.pass('2');
    expect(watermark.sequenceNumber).toBe('1');
    watermark.finish(0, 1);
    expect(watermark.sequenceNumber).toBe('2');
  });

  it('LIF-11 is not there at all before the first aggregate is done', () => {
    const watermark = new Watermark(1);
    watermark.add(0, '1', true);
    watermark.add(0, '1', true);
    watermark.finish(0, 2);
    expect(watermark.sequenceNumber).toBeUndefined();
    watermark.pass('1');
    expect(watermark.sequenceNumber).toBe('1');
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
  ['a watermark inside an aggregate', 'if (!isWithinAggregate) this.#tail', 'if (true) this.#tail'],
  ['a watermark that filtered records of an aggregate move', 'if (isWithinAggregate) return;', ''],
  ['a watermark that forgets filtered records before an aggregate', 'this.#tail = sequenceNumber;\n    if (this.#size', 'if (this.#size'],
  ['a list that grows out of order', 'through[i] = this.#through[slot]!', 'through[i] = this.#through[i]!'],
  ['a list that forgets the lanes when it grows', 'laneOf[i] = this.#laneOf[slot]!', 'laneOf[i] = 0'],
])('the reference catches %s', async (_, piece, replacement) => {
  const Mutant = await broken(piece, replacement);
  const agrees = property(script, ([lanes, steps]) => firstDifference(Mutant, lanes, steps) === undefined);
  expect(() => assert(agrees, { numRuns: 300 })).toThrow('Property failed');
});
