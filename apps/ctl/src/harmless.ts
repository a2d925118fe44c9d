/**
 * Text that comes from anybody, for a terminal: what could steer it, or turn the reading direction, is written as its JSON escape, which
 * inside a JSON string means the same.
 */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
