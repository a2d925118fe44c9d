import { expect, test } from 'vitest';
import { LazyClient } from './lazy-client.ts';

class FakeClient {
  isDestroyed = false;
  destroy(): void {
    this.isDestroyed = true;
  }
}

test('a client is opened by the first call and shared by those that follow', async () => {
  let opened = 0;
  const lazy = new LazyClient(async () => {
    opened += 1;
    return new FakeClient();
  });
  expect(opened).toBe(0);
  const [one, other] = await Promise.all([lazy.get(), lazy.get()]);
  expect(one).toBe(other);
  expect(opened).toBe(1);
});

test('a client that could not be opened is tried again by the next call', async () => {
  let failures = 1;
  const lazy = new LazyClient(async () => {
    if (failures-- > 0) throw new Error('too many open files');
    return new FakeClient();
  });
  await expect(lazy.get()).rejects.toThrow('too many open files');
  expect(await lazy.get()).toBeInstanceOf(FakeClient);
});

test('closing destroys what was opened, and opens nothing', async () => {
  const untouched = new LazyClient<FakeClient>(() => Promise.reject(new Error('opened by close')));
  untouched.close();
  const lazy = new LazyClient(async () => new FakeClient());
  const client = await lazy.get();
  lazy.close();
  await Promise.resolve();
  expect(client.isDestroyed).toBe(true);
});
