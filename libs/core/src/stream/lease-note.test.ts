import { expect, test } from 'vitest';
import { type LeaseNote, readLeaseNote, writeLeaseNote } from './lease-note.ts';

test('a note comes back as it was written, and no note is an empty text', () => {
  const note: LeaseNote = {
    state: 'blocked',
    lane: 2,
    blockedSinceMs: 1_790_000_000_000,
    attempts: 8,
    reason: 'functionError',
    error: 'ValueError',
    nextAtMs: 1_790_000_008_000,
  };
  expect(readLeaseNote(writeLeaseNote(note))).toEqual(note);
  expect(writeLeaseNote(undefined)).toBe('');
});

test('a long error is cut off', () => {
  const text = writeLeaseNote({ state: 'blocked', error: 'x'.repeat(10_000) });
  expect(text.length).toBeLessThan(400);
});

test.each(['', 'null', '[]', '"blocked"', '{"state":"asleep"}', '{"state":', '{}'])('%j is no note', (text) => {
  expect(readLeaseNote(text)).toBeUndefined();
});
