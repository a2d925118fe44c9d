import * as z from 'zod';
import { DURATION_PATTERN, SIZE_PATTERN } from './quantity.ts';

/*
 * The kinds of scalar that several parts of the schema share. A custom `error` completes the sentence "expected …"; the value
 * that was found is added where the error is reported.
 */

/** A length of time with its unit. */
export const duration = () => z.string().regex(DURATION_PATTERN, { error: 'a duration such as 500ms, 10s, 5m, 2h or 14d' });

/** An amount of memory with its unit. */
export const size = () => z.string().regex(SIZE_PATTERN, { error: 'a size such as 512KiB, 256MiB or 1GiB' });

/** An AWS account. */
export const accountId = () => z.string().regex(/^[0-9]{12}$/, { error: 'an account id of 12 digits' });

/**
 * A region by its form alone. AWS adds regions all the time, and emulators have names of their own: `elasticmq`, `ddblocal`.
 * It becomes part of a host name, so it is no longer than one label of it.
 */
export const REGION_PATTERN = /^(?=.{1,63}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** An AWS region. */
export const region = () => z.string().regex(REGION_PATTERN, { error: 'a region such as eu-west-1' });

/** The ARN of an IAM role. */
export const roleArn = () =>
  z.string().regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:role\/.+$/, { error: 'the ARN of a role (arn:aws:iam::123456789012:role/name)' });

/** Checked in full (scheme, user part, address) after the schema, because that needs the network settings. */
export const httpUrl = () => z.string().min(1);

/** Address and port of a listener. */
export const listen = () =>
  z
    .string()
    .regex(/^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$/, { error: 'host:port, such as 127.0.0.1:9401 (port 0 takes a free one)' });

/** Where the admin listener is when nobody says. */
export const DEFAULT_ADMIN_LISTEN = '127.0.0.1:9401';

/** Prometheus labels; names with two underscores in front belong to Prometheus itself. */
export const prometheusLabels = () =>
  z.record(z.string().regex(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/, { error: 'a Prometheus label name ([a-zA-Z_][a-zA-Z0-9_]*)' }), z.string());

/** Names of functions, mappings and fleets end up in Redis keys, metrics and URLs. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Function names follow Lambda's own rule. */
export const FUNCTION_NAME_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

const keyPart = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A part of Redis keys: nothing that could end a hash tag or a part. */
export const redisKeyPart = () => z.string().regex(keyPart, { error: 'up to 64 letters, digits, dots, dashes and underscores' });

/** Settings of calls to AWS that a mapping or a target may set for itself. */
export const awsOverrideFields = {
  region: region().optional().meta({ description: 'AWS region.' }),
  endpoint: httpUrl()
    .optional()
    .meta({ description: 'Endpoint URL in place of the public one, for LocalStack and other AWS-compatible services.' }),
  profile: z.string().min(1).optional().meta({ description: 'Profile of the AWS configuration files to take credentials from.' }),
  assumeRole: z
    .strictObject({
      roleArn: roleArn().meta({ description: 'Role to assume.' }),
      externalId: z.string().min(2).max(1224).optional().meta({ description: 'External id that the role asks for.' }),
      sessionName: z
        .string()
        .regex(/^[\w+=,.@-]{2,64}$/, { error: '2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -' })
        .optional()
        .meta({ description: 'Session name, as CloudTrail shows it.' }),
    })
    .optional()
    .meta({ description: 'Role that calls are made with.' }),
  maxAttempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .meta({ description: 'Attempts per call to AWS. Invocations are never retried by the client.', wherryDefault: 5 }),
};
