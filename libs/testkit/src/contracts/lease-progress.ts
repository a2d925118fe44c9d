import type { LeaseStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

const TTL = 10_000;
/** Beyond 2^53: comparing as numbers would call both equal. */
const LOW = '49590338271490256608559692538361571095921575989136588898';
const HIGH = '49590338271490256608559692538361571095921575989136588899';
/** The largest that is stored, with characters of more than one byte. */
const LARGEST_WINDOW = `{"state":"${'ü'.repeat(524_288)}"}`;

/** How far the work under a lease has come: checkpoints, windows, and rows that somebody else writes. */
export function leaseProgressContract(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: checkpoints`, () => {
    it('writes for the owner of the epoch alone, expired or not, until another takes the lease', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      expect(await store.checkpoint('a', 'bob', 1, LOW, '')).toBe('fenced');
      expect(await store.checkpoint('a', 'ann', 2, LOW, '')).toBe('fenced');
      expect(await store.checkpoint('unknown', 'ann', 1, LOW, '')).toBe('fenced');
      await advance(TTL);
      expect(await store.checkpoint('a', 'ann', 1, LOW, 'mine')).toBe('written');
      await store.acquire('a', 'bob', TTL);
      expect(await store.checkpoint('a', 'ann', 1, HIGH, '')).toBe('fenced');
      await store.release('a', 'bob', 2);
      expect(await store.acquire('a', 'cat', TTL)).toMatchObject({ checkpoint: LOW, window: 'mine' });
    });

    it('never moves backwards, comparing by length first and then digit by digit', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      expect(await store.checkpoint('a', 'ann', 1, '9', '')).toBe('written');
      expect(await store.checkpoint('a', 'ann', 1, '10', '')).toBe('written');
      expect(await store.checkpoint('a', 'ann', 1, '9', '')).toBe('regression');
      expect(await store.checkpoint('a', 'ann', 1, HIGH, '')).toBe('written');
      expect(await store.checkpoint('a', 'ann', 1, LOW, '')).toBe('regression');
      expect(await store.checkpoint('a', 'ann', 1, HIGH, '')).toBe('written');
    });

    it('takes every other position for lower than any sequence number', async () => {
      const { store } = await open();
      await store.create([{ id: 'a', checkpoint: 'AT_TIMESTAMP:1700000000000', ended: false }]);
      await store.acquire('a', 'ann', TTL);
      expect(await store.checkpoint('a', 'ann', 1, 'TRIM_HORIZON', '')).toBe('written');
      expect(await store.checkpoint('a', 'ann', 1, 'AT_TIMESTAMP:1700000000000', 'w')).toBe('written');
      expect(await store.checkpoint('a', 'ann', 1, '1', '')).toBe('written');
      for (const position of ['TRIM_HORIZON', 'AT_TIMESTAMP:1800000000000', '', '-2', '2a']) {
        expect(await store.checkpoint('a', 'ann', 1, position, '')).toBe('regression');
      }
      expect((await store.view(['a']))[0]?.checkpoint).toBe('1');
    });

    it('keeps the open window with the checkpoint, whole, and clears it with an empty one', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      expect(await store.checkpoint('a', 'ann', 1, HIGH, LARGEST_WINDOW)).toBe('written');
      expect(await store.checkpoint('a', 'ann', 1, LOW, 'older')).toBe('regression');
      expect(await store.checkpoint('a', 'bob', 1, HIGH, 'other')).toBe('fenced');
      expect(await store.acquire('a', 'ann', TTL)).toEqual({ kind: 'acquired', epoch: 1, checkpoint: HIGH, window: LARGEST_WINDOW });
      expect(await store.checkpoint('a', 'ann', 1, HIGH, '')).toBe('written');
      expect(await store.acquire('a', 'ann', TTL)).toMatchObject({ window: '' });
    });

    it('knows how long ago an owner wrote the checkpoint', async () => {
      const { store, advance } = await open();
      await store.create([{ id: 'a', checkpoint: LOW, ended: false }]);
      expect((await store.view(['a']))[0]?.sinceCheckpointMs).toBe(Infinity);
      await store.acquire('a', 'ann', TTL);
      await store.checkpoint('a', 'ann', 1, LOW, '');
      await advance(4_000);
      const [written] = await store.view(['a']);
      expect(written?.sinceCheckpointMs).toBeGreaterThanOrEqual(4_000);
      expect(written?.sinceCheckpointMs).toBeLessThan(5_000);
    });

    it('ends a shard for the owner of the epoch alone, and for good', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      await store.checkpoint('a', 'ann', 1, LOW, 'w');
      expect(await store.end('a', 'bob', 1)).toBe('fenced');
      expect(await store.end('a', 'ann', 2)).toBe('fenced');
      expect(await store.end('unknown', 'ann', 1)).toBe('fenced');
      expect(await store.end('a', 'ann', 1)).toBe('written');
      expect(await store.end('a', 'ann', 1)).toBe('written');
      expect((await store.view(['a']))[0]).toMatchObject({ ended: true, checkpoint: LOW });
      expect(await store.acquire('a', 'ann', TTL)).toEqual({ kind: 'ended' });
      expect(await store.checkpoint('a', 'ann', 1, HIGH, '')).toBe('fenced');
    });
  });
  createdRows(name, open);
  movedRows(name, open);
  notesAndWeights(name, open);
}

function createdRows(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: creating rows`, () => {
    it('creates rows at their positions, many at once, and those of shards to leave out as ended', async () => {
      const { store } = await open();
      const rows = Array.from({ length: 1_200 }, (_, i) => ({ id: `shard-${i}`, checkpoint: `AT_TIMESTAMP:${i}`, ended: i % 3 === 0 }));
      await store.create(rows);
      const views = await store.view(rows.map(({ id }) => id));
      expect(views.map(({ id, checkpoint, ended }) => ({ id, checkpoint, ended }))).toEqual(rows);
      expect(await store.acquire('shard-1', 'ann', TTL)).toEqual({ kind: 'acquired', epoch: 1, checkpoint: 'AT_TIMESTAMP:1', window: '' });
      expect(await store.acquire('shard-0', 'ann', TTL)).toEqual({ kind: 'ended' });
      await store.create([]);
    });

    it('leaves rows with a position as they are, whether they are read or over', async () => {
      const { store } = await open();
      await store.acquire('read', 'ann', TTL);
      await store.checkpoint('read', 'ann', 1, HIGH, 'w');
      await store.create([{ id: 'over', checkpoint: LOW, ended: true }]);
      await store.create(['read', 'over'].map((id) => ({ id, checkpoint: 'TRIM_HORIZON', ended: id === 'read' })));
      const [read, over] = await store.view(['read', 'over']);
      expect(read).toMatchObject({ owner: 'ann', epoch: 1, checkpoint: HIGH, ended: false });
      expect(over).toMatchObject({ checkpoint: LOW, ended: true });
    });

    it('gives a position to a row that was taken before it had one, and keeps its epoch', async () => {
      const { store } = await open();
      for (const id of ['a', 'b']) {
        await store.acquire(id, 'ann', TTL);
        await store.release(id, 'ann', 1);
      }
      await store.create([
        { id: 'a', checkpoint: 'TRIM_HORIZON', ended: false },
        { id: 'b', checkpoint: 'TRIM_HORIZON', ended: true },
      ]);
      expect(await store.acquire('a', 'bob', TTL)).toMatchObject({ epoch: 2, checkpoint: 'TRIM_HORIZON' });
      expect(await store.acquire('b', 'bob', TTL)).toEqual({ kind: 'ended' });
    });
  });
}

function movedRows(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: moving leases to other positions`, () => {
    it('puts a live owner out, so that nothing it still sends counts', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      await store.checkpoint('a', 'ann', 1, HIGH, 'w');
      await store.note('a', 'ann', 1, '{}');
      await store.want('a', 'bob', TTL);
      await store.reposition([{ id: 'a', checkpoint: LOW, ended: false }]);
      expect((await store.view(['a']))[0]).toMatchObject({
        owner: '',
        epoch: 2,
        live: false,
        checkpoint: LOW,
        ended: false,
        wantedBy: undefined,
        sinceCheckpointMs: Infinity,
        note: '',
      });
      for (const epoch of [1, 2]) {
        expect(await store.checkpoint('a', 'ann', epoch, HIGH, 'w')).toBe('fenced');
        expect(await store.renew('ann', [{ id: 'a', epoch }], TTL)).toEqual(['lost']);
        expect(await store.end('a', 'ann', epoch)).toBe('fenced');
        expect(await store.note('a', 'ann', epoch, '{}')).toBe(false);
        expect(await store.release('a', 'ann', epoch)).toBe(false);
      }
      expect(await store.acquire('a', 'ann', TTL)).toEqual({ kind: 'acquired', epoch: 3, checkpoint: LOW, window: '' });
    });

    it('brings ended leases back, ends others, and creates those that are not there', async () => {
      const { store } = await open();
      await store.create([
        { id: 'over', checkpoint: HIGH, ended: true },
        { id: 'open', checkpoint: HIGH, ended: false },
      ]);
      await store.reposition([
        { id: 'over', checkpoint: 'TRIM_HORIZON', ended: false },
        { id: 'open', checkpoint: HIGH, ended: true },
        { id: 'new', checkpoint: 'AT_TIMESTAMP:5', ended: false },
      ]);
      expect((await store.view(['over', 'open', 'new'])).map(({ checkpoint, ended }) => [checkpoint, ended])).toEqual([
        ['TRIM_HORIZON', false],
        [HIGH, true],
        ['AT_TIMESTAMP:5', false],
      ]);
      expect(await store.acquire('over', 'ann', TTL)).toMatchObject({ checkpoint: 'TRIM_HORIZON' });
      expect(await store.acquire('open', 'ann', TTL)).toEqual({ kind: 'ended' });
      expect(await store.acquire('new', 'ann', TTL)).toMatchObject({ kind: 'acquired', checkpoint: 'AT_TIMESTAMP:5' });
    });

    it('never repeats an epoch of a row that was removed', async () => {
      const { store } = await open();
      for (let epoch = 1; epoch <= 3; epoch += 1) {
        await store.acquire('a', 'ann', TTL);
        await store.release('a', 'ann', epoch);
      }
      await store.remove(['a']);
      await store.reposition([{ id: 'a', checkpoint: LOW, ended: false }]);
      expect(await store.acquire('a', 'ann', TTL)).toMatchObject({ epoch: 5 });
    });
  });
}

function notesAndWeights(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: what owners say about their leases`, () => {
    it('shows the note of the owner until it says another, nothing, or is gone', async () => {
      const { store, advance } = await open();
      const shown = async (): Promise<string | undefined> => (await store.view(['a']))[0]?.note;
      await store.acquire('a', 'ann', TTL);
      expect(await shown()).toBe('');
      expect(await store.note('a', 'bob', 1, 'x')).toBe(false);
      expect(await store.note('a', 'ann', 2, 'x')).toBe(false);
      expect(await store.note('unknown', 'ann', 1, 'x')).toBe(false);
      expect(await store.note('a', 'ann', 1, '{"state":"blocked","error":"ü"}')).toBe(true);
      expect(await shown()).toBe('{"state":"blocked","error":"ü"}');
      expect(await store.note('a', 'ann', 1, '')).toBe(true);
      expect(await shown()).toBe('');
      await store.note('a', 'ann', 1, 'until its time is up');
      await advance(TTL);
      expect(await shown()).toBe('');
      await store.acquire('a', 'bob', TTL);
      expect(await shown()).toBe('');
      await store.note('a', 'bob', 2, 'until the release');
      await store.release('a', 'bob', 2);
      await store.acquire('a', 'cat', TTL);
      expect(await shown()).toBe('');
    });

    it('remembers the weight that was measured last, through every change of owner', async () => {
      const { store } = await open();
      const weights = async (): Promise<number[]> => (await store.view(['a', 'b', 'c'])).map(({ weight }) => weight);
      for (const id of ['a', 'b']) await store.acquire(id, 'ann', TTL);
      expect(await weights()).toEqual([1, 1, 1]);
      const held = ['a', 'b'].map((id) => ({ id, epoch: 1 }));
      expect(
        await store.renew(
          'ann',
          [
            { id: 'a', epoch: 1, weight: 0.25 },
            { id: 'b', epoch: 1 },
          ],
          TTL,
        ),
      ).toEqual(['renewed', 'renewed']);
      expect(await store.renew('bob', [{ id: 'b', epoch: 1, weight: 7 }], TTL)).toEqual(['lost']);
      expect(await weights()).toEqual([0.25, 1, 1]);
      await store.renew('ann', held, TTL);
      await store.release('a', 'ann', 1);
      await store.acquire('a', 'bob', TTL);
      expect(await weights()).toEqual([0.25, 1, 1]);
      await store.renew('bob', [{ id: 'a', epoch: 2, weight: 1e-7 }], TTL);
      expect(await weights()).toEqual([1e-7, 1, 1]);
      await store.reposition([{ id: 'a', checkpoint: LOW, ended: false }]);
      expect(await weights()).toEqual([1e-7, 1, 1]);
    });
  });
}
