const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A whole number and a unit of time: `500ms`, `10s`, `5m`, `2h`, `14d`. */
export const DURATION_PATTERN = /^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$/;

/** A whole number and a binary unit: `512KiB`, `256MiB`, `1GiB`; `B` for bytes. */
export const SIZE_PATTERN = /^(0|[1-9][0-9]{0,8})(B|KiB|MiB|GiB)$/;

/** Milliseconds of a text that fits `DURATION_PATTERN`; undefined when it does not. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION_PATTERN.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS];
}

/** A number of bytes as a text that `parseSize` reads back, in the largest unit without a rest: `256MiB`, `1000B`. */
export function formatSize(bytes: number): string {
  const [unit, factor] = Object.entries(SIZE_UNITS).findLast(([, size]) => bytes >= size && bytes % size === 0) ?? ['B', 1];
  return `${bytes / factor}${unit}`;
}

/** Bytes of a text that fits `SIZE_PATTERN`; undefined when it does not. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = SIZE_PATTERN.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * SIZE_UNITS[unit as keyof typeof SIZE_UNITS];
}
