/** Last words of keys whose values are secrets. `auth`, `bearer` and `hmac` hold maps; a text there is a secret in the wrong place. */
const SECRET_NAME = /(?:password|passphrase|secret|tokens?|credentials?|externalId|auth|bearer|hmac)$/i;

/** Parameters of a URL's query that carry secrets: webhooks, signed URLs, function keys. */
const SECRET_PARAMETER = /([?&][^=&#?]*(?:password|secret|token|sig|signature|key|code|credential)=)[^&#]+/gi;

/**
 * Whether the value at a path is a secret: named like one, a header of an HTTP target, an access key of the API or a key for
 * encryption. Such values are starred wherever configuration is shown.
 */
export function isSecretPath(path: readonly string[]): boolean {
  const names = path.filter((step) => !/^\d+$/.test(step));
  const last = names.at(-1) ?? '';
  const parent = names.at(-2) ?? '';
  if (['resources', 'labels', 'Tags'].includes(parent)) return false;
  if (parent === 'headers' || parent === 'encryption') return true;
  // `functions` says which functions an access key may invoke.
  if (names.includes('keys') && names[0] !== 'functions' && names[0] !== 'mappings') return last !== 'functions';
  return SECRET_NAME.test(last);
}

/** A URL without its secrets: the password of its user part and the parameters named like one are starred. */
export function maskUrl(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*:)[^/?#]*@/i, '$1***@').replace(SECRET_PARAMETER, '$1***');
}
