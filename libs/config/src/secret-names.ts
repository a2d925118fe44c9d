/** Last words of keys whose values are secrets. */
const SECRET_NAME = /(?:password|passphrase|secret|tokens?|credentials?|externalId)$/i;

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

/** A URL with the password of its user part starred. */
export function maskUrlPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@]*:)[^/?#]*@/i, '$1***@');
}
