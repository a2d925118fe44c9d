import { createHash, createHmac } from 'node:crypto';

/** Keys to sign with. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const ANYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
const LAMBDA_MAY_ASSUME = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

/** Makes the role that a function needs where permissions are checked. */
export async function createRole(endpoint: string, root: Keys, name: string): Promise<string> {
  const answer = await callIam(endpoint, root, 'CreateRole', {
    RoleName: name,
    AssumeRolePolicyDocument: JSON.stringify(LAMBDA_MAY_ASSUME),
  });
  return element(answer, 'Arn');
}

/** Makes a user who may do everything, or nothing at all, and keys for that user. */
export async function createUserKeys(
  endpoint: string,
  root: Keys,
  name: string,
  may: 'everything' | 'nothing' = 'everything',
): Promise<Keys> {
  await callIam(endpoint, root, 'CreateUser', { UserName: name });
  if (may === 'everything') {
    await callIam(endpoint, root, 'PutUserPolicy', { UserName: name, PolicyName: 'all', PolicyDocument: JSON.stringify(ANYTHING) });
  }
  const answer = await callIam(endpoint, root, 'CreateAccessKey', { UserName: name });
  return { accessKeyId: element(answer, 'AccessKeyId'), secretAccessKey: element(answer, 'SecretAccessKey') };
}

/** One IAM call, signed by hand (Signature Version 4), so that no further SDK client has to be installed for a few calls. */
async function callIam(endpoint: string, keys: Keys, action: string, parameters: Record<string, string>): Promise<string> {
  const body = new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters });
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [date.slice(0, 8), 'us-east-1', 'iam', 'aws4_request'];
  const { host } = new URL(endpoint);
  const canonical = ['POST', '/', '', `host:${host}`, `x-amz-date:${date}`, '', 'host;x-amz-date', sha256(body.toString())].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
  const signature = hmac(scope.reduce<Buffer | string>(hmac, `AWS4${keys.secretAccessKey}`), toSign).toString('hex');
  const credential = `${keys.accessKeyId}/${scope.join('/')}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
  const response = await fetch(endpoint, { method: 'POST', body, headers: { authorization, 'x-amz-date': date } });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${action} answered ${response.status}: ${answer}`);
  return answer;
}

function element(xml: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  if (found === undefined) throw new Error(`no <${name}> in ${xml}`);
  return found;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
