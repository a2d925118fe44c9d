import type { Lane } from './lane.ts';
import { balances, type Account } from './ledger.ts';
import type { Screen } from './screen.ts';

/**
 * Prints what became of everything that was sent.
 *
 * @param left messages that are still in the queues
 * @returns true if all of it is accounted for
 */
export function report(screen: Screen, lanes: readonly Lane[], left: number): boolean {
  const accounts = lanes.map((lane) => lane.ledger.account());
  const isBalanced = accounts.every(balances) && left === 0;
  const sum = (count: (account: Account, lane: Lane) => number): string =>
    accounts.reduce((total, account, index) => total + count(account, lanes[index]!), 0).toLocaleString('en');
  const deadLettered = sum((account, { kind }) => (kind.startsWith('sqs') ? account.deadLettered : 0));
  const toDestination = sum((account, { kind }) => (kind.startsWith('sqs') ? 0 : account.deadLettered));
  screen.line();
  screen.title(`  RESULT   ${isBalanced ? 'every message accounted for' : 'THE LEDGER DOES NOT BALANCE'}`);
  screen.line(
    `           sent ${sum(({ sent }) => sent)} = delivered ${sum(({ delivered }) => delivered)} + filtered ${sum(({ filtered }) => filtered)}` +
      ` + dead-lettered ${deadLettered} + failure queue ${toDestination}`,
  );
  const duplicates = accounts.flatMap((account) => account.duplicates);
  screen.line(
    duplicates.length === 0
      ? '           delivered twice: none'
      : `           delivered twice ${duplicates.length} (at-least-once, after the kill): ${listed(duplicates)}`,
  );
  for (const account of accounts) reportFaults(screen, account);
  if (left > 0) screen.fail(`${left} messages are still in the queues`);
  return isBalanced;
}

function reportFaults(screen: Screen, { source, missing, unwanted, unknown, outOfOrder }: Account): void {
  if (missing.length > 0) screen.fail(`${source}: ${missing.length} missing: ${listed(missing)}`);
  if (unwanted.length > 0) screen.fail(`${source}: ${unwanted.length} not stopped by the filter: ${listed(unwanted)}`);
  if (unknown.length > 0) screen.fail(`${source}: ${unknown.length} nobody sent: ${listed(unknown)}`);
  if (outOfOrder.length > 0) screen.fail(`${source}: out of order: ${listed(outOfOrder)}`);
}

function listed(ids: readonly string[]): string {
  return ids.length <= 8 ? ids.join(', ') : `${ids.slice(0, 8).join(', ')} … and ${ids.length - 8} more`;
}
