const SECONDS = /^\d+(?:\.\d+)?$/;
const ISO = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/;

/** Latest time that a `Date` can hold, epoch milliseconds. */
const LATEST_TIME_MS = 8.64e15;

/**
 * The time of a `StartingPositionTimestamp`: seconds since 1970, as Lambda has it, or ISO 8601 with a zone.
 *
 * @returns epoch milliseconds; undefined when it is neither, or names a day that no calendar has
 */
export function parseTimestamp(text: string): number | undefined {
  if (SECONDS.test(text)) {
    const atMs = Math.round(Number(text) * 1000);
    return atMs <= LATEST_TIME_MS ? atMs : undefined;
  }
  const day = ISO.exec(text)?.[1];
  const atMs = day === undefined ? Number.NaN : Date.parse(text);
  // `Date.parse` takes the 30th of February for the 2nd of March.
  if (day === undefined || Number.isNaN(atMs) || new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day) return undefined;
  return atMs;
}
