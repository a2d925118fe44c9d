import { SimClock } from '@wherry/testkit/sim-clock';
import { describe, expect, test } from 'vitest';
import { cacheCredentials, CredentialsByRole, type Credentials } from './credentials.ts';

const HOUR_MS = 3_600_000;

/** A source of credentials that live for an hour and can be told to fail. */
function issuer(
  time: SimClock,
  lifeMs = HOUR_MS,
): { load: () => Promise<Credentials>; issued: () => number; failWith: (error?: Error) => void } {
  let issued = 0;
  let failure: Error | undefined;
  return {
    issued: () => issued,
    failWith: (error) => {
      failure = error;
    },
    load: () => {
      issued += 1;
      if (failure !== undefined) return Promise.reject(failure);
      const expiration = Number.isFinite(lifeMs) ? { expiration: new Date(time.nowMs() + lifeMs) } : {};
      return Promise.resolve({ accessKeyId: `key-${issued}`, secretAccessKey: 'secret', ...expiration });
    },
  };
}

describe('cached credentials', () => {
  test('are loaded once for any number of simultaneous callers', async () => {
    const time = new SimClock();
    const source = issuer(time);
    const provider = cacheCredentials(source.load, time.clock());
    const all = await Promise.all([provider(), provider(), provider()]);
    expect(all.map((credentials) => credentials.accessKeyId)).toEqual(['key-1', 'key-1', 'key-1']);
    expect(source.issued()).toBe(1);
  });

  test('that never expire are never loaded again', async () => {
    const time = new SimClock();
    const source = issuer(time, Infinity);
    const provider = cacheCredentials(source.load, time.clock());
    await provider();
    await time.advance(1_000 * HOUR_MS);
    await provider();
    expect(source.issued()).toBe(1);
  });

  test('are renewed in the background after three quarters of their life', async () => {
    const time = new SimClock();
    const source = issuer(time);
    const provider = cacheCredentials(source.load, time.clock());
    await provider();
    await time.advance(HOUR_MS * 0.74);
    expect((await provider()).accessKeyId).toBe('key-1');
    expect(source.issued()).toBe(1);
    await time.advance(HOUR_MS * 0.02);
    expect((await provider()).accessKeyId).toBe('key-1');
    await time.advance(0);
    expect((await provider()).accessKeyId).toBe('key-2');
    expect(source.issued()).toBe(2);
  });

  test('are used to their end while renewing fails, with one attempt every five seconds', async () => {
    const time = new SimClock();
    const source = issuer(time);
    const provider = cacheCredentials(source.load, time.clock());
    await provider();
    source.failWith(new Error('STS is away'));
    await time.advance(HOUR_MS * 0.8);
    for (let call = 0; call < 10; call += 1) {
      expect((await provider()).accessKeyId).toBe('key-1');
      await time.advance(100);
    }
    expect(source.issued()).toBe(2);
    await time.advance(HOUR_MS * 0.3);
    await expect(provider()).rejects.toThrow('STS is away');
    await expect(provider()).rejects.toThrow('STS is away');
    expect(source.issued()).toBe(3);
    source.failWith();
    await time.advance(5_000);
    expect((await provider()).accessKeyId).toBe('key-4');
  });
});

describe('credentials by role', () => {
  const role = { roleArn: 'arn:aws:iam::000000000000:role/wherry' };
  const settings = { region: 'us-east-1', maxAttempts: 3 };

  test('one provider serves every mapping under the same role, whatever its endpoint', () => {
    const all = new CredentialsByRole(new SimClock().clock());
    const one = all.provider({ ...settings, assumeRole: role });
    expect(all.provider({ ...settings, assumeRole: role, endpoint: 'http://127.0.0.1:1', maxAttempts: 9 })).toBe(one);
  });

  test('another role, external id, session name or profile has its own', () => {
    const all = new CredentialsByRole(new SimClock().clock());
    const providers = [
      all.provider(settings),
      all.provider({ ...settings, profile: 'other' }),
      all.provider({ ...settings, assumeRole: role }),
      all.provider({ ...settings, assumeRole: { ...role, externalId: 'x' } }),
      all.provider({ ...settings, assumeRole: { ...role, sessionName: 'y' } }),
      all.provider({ ...settings, assumeRole: { roleArn: `${role.roleArn}-2` } }),
    ];
    expect(new Set(providers).size).toBe(providers.length);
  });

  test('without a role the region plays no part', () => {
    const all = new CredentialsByRole(new SimClock().clock());
    expect(all.provider({ ...settings, region: 'eu-west-1' })).toBe(all.provider(settings));
  });
});
