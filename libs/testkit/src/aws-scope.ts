/**
 * Headers of a call that nobody signed. Emulators do not check signatures; the credential scope is there because they read the service
 * and the region from it.
 *
 * @param service name in the scope, such as `sqs`
 */
export function unsignedHeaders(service: string, region: string): { readonly 'x-amz-date': string; readonly authorization: string } {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `test/${now.slice(0, 8)}/${region}/${service}/aws4_request`;
  return { 'x-amz-date': now, authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none` };
}
