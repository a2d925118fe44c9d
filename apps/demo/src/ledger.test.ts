import { expect, test } from 'vitest';
import { balances, Ledger } from './ledger.ts';

function ledgerOf(...ids: string[]): Ledger {
  const ledger = new Ledger('orders');
  for (const id of ids) ledger.sent(id);
  return ledger;
}

test('a ledger in which each message was acknowledged or dead-lettered balances', () => {
  const ledger = ledgerOf('a', 'b');
  ledger.acknowledged('a');
  ledger.deadLettered('b');
  const account = ledger.account();
  expect(account).toMatchObject({ sent: 2, delivered: 1, deadLettered: 1, missing: [] });
  expect(balances(account)).toBe(true);
  expect(ledger.settledCount).toBe(2);
});

test('a message that is nowhere unbalances the ledger and is named', () => {
  const ledger = ledgerOf('a', 'b');
  ledger.acknowledged('a');
  expect(ledger.account().missing).toEqual(['b']);
  expect(balances(ledger.account())).toBe(false);
});

test('a second delivery is named as a duplicate and does not count twice', () => {
  const ledger = ledgerOf('a');
  ledger.acknowledged('a');
  ledger.acknowledged('a');
  expect(ledger.account()).toMatchObject({ delivered: 1, duplicates: ['a'] });
  expect(balances(ledger.account())).toBe(true);
});

test('a message that was delivered and later dead-lettered counts once, as delivered', () => {
  const ledger = ledgerOf('a');
  ledger.acknowledged('a');
  ledger.deadLettered('a');
  expect(ledger.account()).toMatchObject({ delivered: 1, deadLettered: 0 });
  expect(ledger.settledCount).toBe(1);
});

test('a message that the filter takes out is accounted for without an acknowledgement', () => {
  const ledger = ledgerOf('a');
  ledger.sent('draft', undefined, false);
  ledger.acknowledged('a');
  expect(ledger.account()).toMatchObject({ sent: 2, delivered: 1, filtered: 1, missing: [], unwanted: [] });
  expect(balances(ledger.account())).toBe(true);
});

test('a message that the filter should have taken out, yet was delivered, unbalances the ledger and is named', () => {
  const ledger = ledgerOf();
  ledger.sent('draft', undefined, false);
  ledger.acknowledged('draft');
  expect(ledger.account()).toMatchObject({ filtered: 0, unwanted: ['draft'] });
  expect(balances(ledger.account())).toBe(false);
});

test('a message nobody sent unbalances the ledger', () => {
  const ledger = ledgerOf();
  ledger.acknowledged('ghost');
  expect(ledger.account().unknown).toEqual(['ghost']);
  expect(balances(ledger.account())).toBe(false);
});

test('a later message of a group acknowledged before an earlier one unbalances the ledger', () => {
  const ledger = new Ledger('payments.fifo');
  ledger.sent('1', 'g');
  ledger.sent('2', 'g');
  ledger.acknowledged('2');
  ledger.acknowledged('1');
  expect(ledger.account().outOfOrder).toEqual(['g: 1 after 2']);
  expect(balances(ledger.account())).toBe(false);
});
