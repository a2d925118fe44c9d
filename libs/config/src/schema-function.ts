import * as z from 'zod';
import { awsOverrideFields, httpUrl } from './schema-fields.ts';
import { destination } from './schema-mapping.ts';

/** Settings of asynchronous invocations: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
const eventInvokeConfig = z
  .strictObject({
    MaximumRetryAttempts: z.int().min(0).max(2).optional().meta({ description: 'Retries after function errors.', wherryDefault: 2 }),
    MaximumEventAgeInSeconds: z
      .int()
      .min(60)
      .max(21_600)
      .optional()
      .meta({ description: 'Oldest event that is still tried.', wherryDefault: 21_600 }),
    DestinationConfig: z
      .strictObject({
        OnSuccess: destination('Where the record of a success goes: SQS, SNS, EventBridge or another function.'),
        OnFailure: destination(
          'Where the record of a failure goes: SQS, SNS, EventBridge, another function, S3, or wherry://failed/<name>.',
        ),
      })
      .optional()
      .meta({ description: 'Destinations of invocation records.' }),
  })
  .optional()
  .meta({ description: 'Asynchronous invocations of this function.' });

const target = z
  .strictObject({
    lambda: z
      .strictObject({
        functionName: z.string().min(1).max(256).meta({ description: 'Name or ARN of the Lambda function.' }),
        qualifier: z
          .string()
          .regex(/^(?:\$LATEST|[A-Za-z0-9_-]{1,128})$/, { error: 'an alias, a version or $LATEST' })
          .optional()
          .meta({ description: 'Alias or version to invoke.' }),
        region: awsOverrideFields.region,
        aws: z.strictObject(awsOverrideFields).optional().meta({ description: 'Settings of AWS calls for this target alone.' }),
      })
      .optional()
      .meta({ description: 'A function of AWS Lambda, or of something that speaks its Invoke API.' }),
    rie: z
      .strictObject({
        url: httpUrl().optional().meta({ description: 'Base URL of a container with the Lambda Runtime Interface Emulator.' }),
        urls: z.array(httpUrl()).min(1).max(1000).optional().meta({ description: 'Several such containers, in place of url.' }),
        concurrency: z
          .int()
          .min(1)
          .max(1000)
          .optional()
          .meta({ description: 'Requests at a time per container, across the fleet. The emulator survives exactly 1.', wherryDefault: 1 }),
      })
      .optional()
      .meta({ description: 'Containers that run the Lambda Runtime Interface Emulator.' }),
    http: z
      .strictObject({
        url: httpUrl().meta({ description: 'URL the event is sent to with POST.' }),
        headers: z
          .record(
            z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'an HTTP header name' }),
            z.string().regex(/^[\t\x20-\x7e]*$/, { error: 'a header value without line breaks' }),
          )
          .optional()
          .meta({ description: 'Further request headers.' }),
        bearer: z
          .strictObject({ token: z.string().min(1).meta({ description: 'The token.' }) })
          .optional()
          .meta({ description: 'Sends Authorization: Bearer.' }),
        hmac: z
          .strictObject({
            secret: z.string().min(1).meta({ description: 'Key of the signature.' }),
            header: z
              .string()
              .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'an HTTP header name' })
              .optional()
              .meta({ description: 'Header of the signature.', wherryDefault: 'X-Wherry-Signature' }),
          })
          .optional()
          .meta({ description: 'Signs each request: sha256=<hex> over timestamp, a dot and the body; timestamp in X-Wherry-Timestamp.' }),
      })
      .optional()
      .meta({ description: 'A plain HTTP service.' }),
  })
  .meta({ description: 'Where the function runs: exactly one of lambda, rie, http.' });

/** One entry of `functions:`, its SAM `Events` taken out. */
export const functionSchema = z
  .strictObject({
    description: z.string().optional().meta({ description: 'For people.' }),
    target,
    Timeout: z.int().min(1).max(5400).default(3).meta({ description: 'Longest time one invocation may take, in seconds.' }),
    ReservedConcurrentExecutions: z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .meta({ description: 'Most concurrent invocations across the fleet; 0 stops the function.' }),
    EventInvokeConfig: eventInvokeConfig,
    DeadLetterConfig: z
      .strictObject({ TargetArn: z.string().max(350).optional().meta({ description: 'Standard SQS queue or standard SNS topic.' }) })
      .optional()
      .meta({ description: 'Where events go that could not be processed.' }),
    aliases: z
      .record(
        z
          .string()
          .regex(/^(?!\d+$)[A-Za-z0-9_-]{1,128}$/, { error: 'an alias: letters, digits, dashes and underscores, not digits alone' }),
        z.strictObject({ target: target.optional(), EventInvokeConfig: eventInvokeConfig }),
      )
      .optional()
      .meta({ description: 'Aliases of the function; a mapping may name them as function:ALIAS.' }),
    onDestinationFailure: z
      .enum(['keep', 'drop'])
      .optional()
      .meta({ description: 'Keep an event whose destination refuses, or give up as Lambda does.', wherryDefault: 'keep' }),
    rateLimit: z.number().positive().max(1_000_000).optional().meta({ description: 'Most invocations per second across the fleet.' }),
    tenantConcurrency: z.int().min(1).max(100_000).optional().meta({ description: 'Most concurrent asynchronous invocations per tenant.' }),
  })
  .meta({ description: 'A function: where it runs and how it is called.' });
