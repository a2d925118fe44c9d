/**
 * What may stand in an HTTP header. Node and undici throw on anything else, and a throw in the middle of an invocation would
 * repeat with every attempt; so it is asked when the configuration is loaded and again before each call.
 */

/** Headers that the HTTP client writes by itself; setting them by hand would break the framing of the request. */
const FRAMING_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A header name is a token, see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Tab, visible ASCII, space and latin1; no line breaks or other control characters. */
// oxlint-disable-next-line no-control-regex -- the tab is meant
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/**
 * Why this header cannot be sent, or undefined when it can. The reason never repeats the value, which may be a secret.
 */
export function headerProblem(name: string, value: string): string | undefined {
  if (!TOKEN.test(name)) return `'${printable(name)}' is not a header name`;
  if (FRAMING_HEADERS.has(name.toLowerCase())) return `the header '${name}' is set by the HTTP client itself`;
  if (!VALUE.test(value)) return `the value of the header '${name}' has a line break or a character that is not latin1`;
  return undefined;
}

function printable(text: string): string {
  return text.replace(/[^\u0020-\u007e]/g, '?').slice(0, 64);
}
