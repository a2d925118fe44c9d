/** A function as a mapping or an ARN names it. */
export interface FunctionReference {
  readonly name: string;
  /** Alias or version; `$LATEST` counts as none. */
  readonly qualifier?: string;
}

/**
 * Reads Lambda's four ways of naming a function: `name`, `name:qualifier`, `123456789012:function:name[:qualifier]` and the full ARN.
 *
 * @returns undefined when it is none of them
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 */
export function parseFunctionName(text: string): FunctionReference | undefined {
  const match =
    /^(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?(?:(?:\d{12}:)?function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$/.exec(
      text,
    );
  const [, name, qualifier] = match ?? [];
  if (name === undefined) return undefined;
  return qualifier === undefined || qualifier === '$LATEST' ? { name } : { name, qualifier };
}
