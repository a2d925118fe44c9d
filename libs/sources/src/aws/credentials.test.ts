import { SimClock } from '@wherry/testkit/sim-clock';
import { describe, expect, test } from 'vitest';
import { CredentialsByRole } from './credentials.ts';

const openAll = (): CredentialsByRole => new CredentialsByRole({ clock: new SimClock().clock(), random: () => 0.5 });

describe('credentials by role', () => {
  const role = { roleArn: 'arn:aws:iam::000000000000:role/wherry' };
  const settings = { region: 'us-east-1', maxAttempts: 3 };

  test('one provider serves every mapping under the same role, whatever its endpoint', () => {
    const all = openAll();
    const one = all.provider({ ...settings, assumeRole: role });
    expect(all.provider({ ...settings, assumeRole: role, endpoint: 'http://127.0.0.1:1', maxAttempts: 9 })).toBe(one);
  });

  test('another role, external id, session name, STS or profile has its own', () => {
    const all = openAll();
    const providers = [
      all.provider(settings),
      all.provider({ ...settings, profile: 'other' }),
      all.provider({ ...settings, assumeRole: role }),
      all.provider({ ...settings, assumeRole: { ...role, externalId: 'x' } }),
      all.provider({ ...settings, assumeRole: { ...role, sessionName: 'y' } }),
      all.provider({ ...settings, assumeRole: { roleArn: `${role.roleArn}-2` } }),
      all.provider({ ...settings, assumeRole: role, stsEndpoint: 'http://127.0.0.1:4566' }),
    ];
    expect(new Set(providers).size).toBe(providers.length);
  });

  test('without a role the region plays no part', () => {
    const all = openAll();
    expect(all.provider({ ...settings, region: 'eu-west-1' })).toBe(all.provider(settings));
  });
});
