import { type PatternSet, compilePatterns } from '@wherry/core/event-pattern/matcher';
import { parseEventText } from '@wherry/core/event-pattern/number-text';
import { parsePattern } from '@wherry/core/event-pattern/parse-pattern';
import { EVENT_KINDS, FILTERS, FURTHER_FILTERS, ONE_OF_EACH_KIND, orderEvent, orderRecord, routingPatterns } from './filter-samples.ts';
import { type Figure, type Measured, figure } from './figure.ts';

/** Many and short, so that other processes on the machine spoil few of them, and not the median. */
const ROUNDS = 61;
const EVENTS_PER_ROUND = 4_000;
/** Rounds that are thrown away: the engine compiles the code while it runs. */
const WARM_UP_ROUNDS = 10;
const PATTERNS_IN_LARGE_SET = 1000;

/** What the filters of a mapping may cost of what parsing the body costs. */
const FIVE_FILTERS_AT_MOST = 0.1;

/** One thing to measure: it goes through all events again and again, and returns what it found, so that nothing can be left out. */
interface Contestant {
  readonly name: string;
  readonly atMost?: number;
  readonly run: (eventCount: number) => number;
}

/**
 * What matching costs: a pattern of each kind, the filters of a mapping, and a large set, on events of 1 KB that are parsed already, beside
 * `JSON.parse` of the same events. All take turns in each round. Most events match no filter, so that none is left out.
 */
export function benchFilters(): Figure[] {
  const texts = Array.from({ length: EVENT_KINDS }, (_, index) => orderEvent(index));
  const events = texts.map((text) => JSON.parse(text) as unknown);
  const exactEvents = texts.map(parseEventText);
  const records = events.map(orderRecord);
  const match = (name: string, patterns: readonly object[], atMost?: number): Contestant => {
    const set = compile(patterns);
    const contestant = over(name, set.needsNumberText ? exactEvents : events, (event) => Number(set.matches(event)));
    return atMost === undefined ? contestant : { ...contestant, atMost };
  };
  const onBody = compile(FILTERS.map((body) => ({ body })));
  const large = compile(routingPatterns(PATTERNS_IN_LARGE_SET));
  const baseline = over('JSON.parse', texts, (text) => (JSON.parse(text) === null ? 1 : 0));
  const contestants = [
    ...Object.entries(ONE_OF_EACH_KIND).map(([kind, pattern]) => match(`filter.${kind}`, [pattern])),
    match('filters.5', FILTERS, FIVE_FILTERS_AT_MOST),
    over('filters.5.sqsBody', records, (record) => Number(onBody.matches(record))),
    match('filters.10', [...FILTERS, ...FURTHER_FILTERS]),
    over(`patterns.${PATTERNS_IN_LARGE_SET}.any`, events, (event) => Number(large.matches(event))),
    over(`patterns.${PATTERNS_IN_LARGE_SET}.all`, events, (event) => large.matching(event).length),
    over('parse.numberTexts', texts, (text) => (parseEventText(text) === null ? 1 : 0)),
  ];
  const samples = measure([baseline, ...contestants]);
  const parse = samples.get(baseline) ?? [];
  return contestants.flatMap((contestant) => figuresOf(contestant, samples.get(contestant) ?? [], parse));
}

function figuresOf({ name, atMost }: Contestant, ours: readonly number[], baseline: readonly number[]): Figure[] {
  const cost: Measured = { name, unit: 'ns/event', ours, baseline, of: 'ratio' };
  return [
    figure(atMost === undefined ? cost : { ...cost, atMost }),
    figure({ name: `${name}.rate`, unit: 'events/s', ours: ours.map((nanoseconds) => 1e9 / nanoseconds) }),
  ];
}

function compile(patterns: readonly object[]): PatternSet {
  return compilePatterns(
    patterns.map((pattern) => {
      const result = parsePattern(JSON.stringify(pattern).replaceAll(/"exact:([0-9]+)"/g, '$1'));
      if (!result.ok) throw new Error(`${JSON.stringify(pattern)}: ${result.reason}`);
      return result.pattern;
    }),
  );
}

function over<T>(name: string, items: readonly T[], once: (item: T) => number): Contestant {
  const run = (eventCount: number): number => {
    let found = 0;
    for (let done = 0; done < eventCount; done += items.length) for (const item of items) found += once(item);
    return found;
  };
  return { name, run };
}

/** Nanoseconds per event of each round. */
function measure(contestants: readonly Contestant[]): ReadonlyMap<Contestant, readonly number[]> {
  const samples = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  const found = new Map<Contestant, number>();
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    for (const [contestant, times] of samples) {
      const startedAt = process.hrtime.bigint();
      const count = contestant.run(EVENTS_PER_ROUND);
      const took = Number(process.hrtime.bigint() - startedAt);
      if ((found.get(contestant) ?? count) !== count) throw new Error(`${contestant.name} found something else in another round`);
      found.set(contestant, count);
      if (round >= WARM_UP_ROUNDS) times.push(took / EVENTS_PER_ROUND);
    }
  }
  return samples;
}
