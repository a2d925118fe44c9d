import { TargetServer } from '@wherry/testkit/target-server';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fetchAwsCredentials } from './aws-credentials.ts';

describe('fetchAwsCredentials', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('finds keys where the AWS SDK finds them', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'token');
    const found = await fetchAwsCredentials({ region: 'eu-west-1', maxAttempts: 1 })();
    expect(found).toMatchObject({ accessKeyId: 'AKIDENV', secretAccessKey: 'secret', sessionToken: 'token' });
  });

  it('asks the STS of the settings for a role', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const sts = await TargetServer.start();
    onTestFinished(() => sts.close());
    sts.answer((_, response) => {
      const keys = '<AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>';
      const result = `<Credentials>${keys}<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>`;
      response.end(`<AssumeRoleResponse><AssumeRoleResult>${result}</AssumeRoleResult></AssumeRoleResponse>`);
    });
    const assumeRole = { roleArn: 'arn:aws:iam::000000000000:role/wherry', externalId: 'x-1' };
    const found = await fetchAwsCredentials({ region: 'eu-west-1', maxAttempts: 1, stsEndpoint: sts.url, assumeRole })();
    expect(found).toMatchObject({ accessKeyId: 'AKIDROLE', sessionToken: 't', expiration: new Date('2100-01-01T00:00:00Z') });
    expect(Object.fromEntries(new URLSearchParams(sts.requests[0]?.body.toString()))).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: assumeRole.roleArn,
      RoleSessionName: 'wherry',
      ExternalId: 'x-1',
    });
  });
});
