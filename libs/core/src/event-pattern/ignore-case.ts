/** Forms of one character of the operand: the value has to have one of them in its place. */
interface Forms {
  readonly lower: string;
  readonly upper: string;
  readonly itself: string;
}

/**
 * Compiles a text into a comparison without regard to case, at a position of the value: it gives the number of UTF-16 units that the
 * text takes there, -1 if it is not there.
 *
 * As in AWS's Event Ruler (https://github.com/aws/event-ruler, `EqualsIgnoreCaseParser.java`) each character of the operand stands for
 * its lower and its upper case, and not for what is equal to it in more roundabout ways: `ß` is `ß` or `SS` but not `ss`. Unlike
 * there a character always stands for itself too. Ruler takes UTF-16 units, so that a text with an emoji, or with a letter in title
 * case, does not match that very text: events would be lost in silence.
 */
export function compileIgnoreCase(text: string): (value: string, at: number) => number {
  const forms = formsOf(text);
  const lower = forms.map((form) => form.lower).join('');
  return (value, at) => {
    if (value.startsWith(lower, at)) return lower.length;
    let end = at;
    for (const form of forms) {
      if (value.startsWith(form.lower, end)) end += form.lower.length;
      else if (value.startsWith(form.upper, end)) end += form.upper.length;
      else if (value.startsWith(form.itself, end)) end += form.itself.length;
      else return -1;
    }
    return end - at;
  };
}

/** As `compileIgnoreCase`, but the position is the end of the text in the value. */
export function compileIgnoreCaseBackwards(text: string): (value: string, end: number) => number {
  const forms = formsOf(text).toReversed();
  return (value, end) => {
    let at = end;
    for (const form of forms) {
      if (value.endsWith(form.lower, at)) at -= form.lower.length;
      else if (value.endsWith(form.upper, at)) at -= form.upper.length;
      else if (value.endsWith(form.itself, at)) at -= form.itself.length;
      else return -1;
    }
    return end - at;
  };
}

function formsOf(text: string): Forms[] {
  return Array.from(text, (character) => ({ lower: character.toLowerCase(), upper: character.toUpperCase(), itself: character }));
}
