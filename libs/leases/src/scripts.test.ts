import { expect, test } from 'vitest';
import { storeError } from './scripts.ts';

test('an error says in plain words that there is no connection, and passes on all else that Redis says', () => {
  const away = new Error("Stream isn't writeable and enableOfflineQueue options is false");
  expect(storeError('member-heartbeat', away).message).toBe('Redis member-heartbeat: there is no connection');
  expect(storeError('lease-renew', new Error('NOAUTH Authentication required.')).message).toBe(
    'Redis lease-renew: NOAUTH Authentication required.',
  );
});
