/**
 * AWS's rule that a queue's visibility timeout must not be shorter than the function's timeout, because a message would come
 * back while it is still being worked on.
 * @returns AWS's own text if the rule is broken, else `undefined`
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export function visibilityProblem(queueVisibilitySeconds: number, timeoutSeconds: number): string | undefined {
  if (queueVisibilitySeconds >= timeoutSeconds) return undefined;
  return `Queue visibility timeout: ${queueVisibilitySeconds} seconds is less than Function timeout: ${timeoutSeconds} seconds`;
}
