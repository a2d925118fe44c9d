/**
 * How many slots each mapping gets when the fleet cannot carry all that are wished for: those who wish for little get it
 * all, the others share the rest evenly (max-min fairness). One hot queue then cannot take the last lease from a quiet one.
 * Every mapping keeps one slot, even where that is more than the fleet has room for; leases are then given as far as they go.
 *
 * All pollers compute the same from the same figures.
 *
 * @param wishes slots wished for per mapping, in an order that is the same everywhere
 * @param room leases that the live pollers may hold together
 * @returns slots per mapping, in the order given, none above its wish
 */
export function shareSlots(wishes: readonly number[], room: number): number[] {
  const shares = wishes.map(() => 0);
  const ascending = wishes.map((_, index) => index).sort((one, other) => wishes[one]! - wishes[other]! || one - other);
  let left = room;
  for (const [place, index] of ascending.entries()) {
    const evenly = Math.floor(left / (ascending.length - place));
    const share = Math.min(wishes[index]!, Math.max(1, evenly));
    shares[index] = share;
    left = Math.max(0, left - share);
  }
  return shares;
}
