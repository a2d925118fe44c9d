/** One measured figure, as `--json` prints it. Names are the interface: scripts compare runs by them. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Median of our samples. */
  readonly ours: number;
  /** Median of the baseline's samples, taken in the same run; null where there is nothing to compare with. */
  readonly baseline: number | null;
  /** ours / baseline */
  readonly ratio: number | null;
  /** Lowest and highest of our samples. */
  readonly spread: readonly [number, number];
  /** What is promised, in words; null where the figure only informs. */
  readonly target: string | null;
  readonly ok: boolean;
}

/** What a benchmark hands over: the samples of interleaved rounds, and the promise they are held to. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly baseline?: readonly number[];
  /** Highest value allowed: of our median, or of the ratio of the two medians. Absent where the figure only informs. */
  readonly atMost?: number;
  readonly of?: 'ours' | 'ratio';
}

/** Reduces samples to a figure. @throws Error when there are no samples, or a ratio is promised without a baseline */
export function figure({ name, unit, ours, baseline, atMost, of = 'ours' }: Measured): Figure {
  const ourMedian = median(ours);
  const baselineMedian = baseline === undefined ? null : median(baseline);
  const ratio = baselineMedian === null ? null : ourMedian / baselineMedian;
  const judged = of === 'ours' ? ourMedian : ratio;
  if (judged === null) throw new Error(`${name}: a ratio needs a baseline`);
  const target = of === 'ours' ? `<= ${atMost} ${unit}` : `<= ${atMost} x baseline`;
  return {
    name,
    unit,
    ours: ourMedian,
    baseline: baselineMedian,
    ratio,
    spread: [Math.min(...ours), Math.max(...ours)],
    target: atMost === undefined ? null : target,
    ok: atMost === undefined || judged <= atMost,
  };
}

/** The middle sample, or the mean of the two in the middle. @throws Error when there are none */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle];
  if (high === undefined) throw new Error('no samples');
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/** The figures as a table for people, or as one JSON array. */
export function formatFigures(figures: readonly Figure[], asJson: boolean): string {
  if (asJson) return JSON.stringify(figures, null, 2);
  const rows = figures.map((one) => [
    one.name,
    `${short(one.ours)} ${one.unit}`,
    `${short(one.spread[0])}..${short(one.spread[1])}`,
    one.baseline === null ? '-' : short(one.baseline),
    one.ratio === null ? '-' : `${short(one.ratio)} x`,
    one.target ?? '-',
    one.target === null ? '' : one.ok ? 'ok' : 'MISSED',
  ]);
  const table = [['figure', 'ours (median)', 'spread', 'baseline', 'ratio', 'target', ''], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
