import { didYouMean } from './suggest.ts';

/** Last words of keys whose values are secrets. `auth`, `bearer` and `hmac` hold maps; a text there is a secret in the wrong place. */
const SECRET_NAME = /(?:password|passphrase|secret|tokens?|credentials?|externalId|auth|bearer|hmac)$/i;

/** Parameters of a URL's query that carry secrets: webhooks, signed URLs, function keys. */
const SECRET_PARAMETER = /([?&][^=&#?]*(?:password|secret|token|sig|signature|key|code|credential)=)[^&#]+/gi;

/** Keys whose value is a secret whatever it is made of: a list or a map in its place is a mistake that holds the secret all the same. */
const SECRET_VALUE = /(?:password|passphrase|secret|tokens?|credentials?|externalId)$/i;

/** Words that a misspelt key (`pasword:`) was most likely meant to end with. */
const SECRET_WORDS = ['password', 'passphrase', 'secret', 'token', 'tokens', 'credential', 'credentials'];

/** Maps whose keys are names of the user's own and say nothing of their values. */
const NAMED = new Set(['functions', 'mappings', 'aliases', 'Events', 'resources', 'labels', 'Tags']);

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
  if (SECRET_NAME.test(last) || isMisspelt(last)) return true;
  return names.some((name, index) => SECRET_VALUE.test(name) && !NAMED.has(names[index - 1] ?? ''));
}

/** Slips in the first letter are rare, and this is asked of every value of thousands of mappings. */
function isMisspelt(name: string): boolean {
  return /^[cpst]/i.test(name) && didYouMean(name, SECRET_WORDS) !== undefined;
}

/** What stands behind the name of a secret, or in the user part of a URL, in a text that could not be parsed. */
const SECRET_TEXT =
  /[\w-]*(?:password|passphrase|secret|tokens?|credentials?|externalId)["']?[ \t]*:(?:[ \t]*\r?\n[ \t]*-)*[ \t]*([^\s][^\r\n]*)|:\/\/[^/?#@:\s]*:([^/?#\s]*)@/gi;

/** The stretches of a text that look like secrets, for files that are not even YAML. */
export function secretStretches(text: string): { readonly start: number; readonly end: number }[] {
  return [...text.matchAll(SECRET_TEXT)].map((match) => {
    const secret = match[1] ?? match[2] ?? '';
    const start = match.index + match[0].lastIndexOf(secret);
    return { start, end: start + secret.length };
  });
}

/** A URL without its secrets: the password of its user part and the parameters named like one are starred. */
export function maskUrl(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*:)[^/?#]*@/i, '$1***@').replace(SECRET_PARAMETER, '$1***');
}
