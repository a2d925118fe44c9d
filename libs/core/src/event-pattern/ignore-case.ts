/** Lower and upper form of one UTF-16 unit of the operand: the value has to have one of them in its place. */
interface Forms {
  readonly lower: string;
  readonly upper: string;
}

/**
 * Compiles a text into a comparison without regard to case, at a position of the value: it gives the number of UTF-16 units that the
 * text takes there, -1 if it is not there.
 *
 * Follows AWS's Event Ruler (https://github.com/aws/event-ruler, `EqualsIgnoreCaseParser.java`), also in what surprises: the operand is
 * taken unit by unit, and each stands for its lower and its upper case alone. So `ß` is `ß` or `SS` but not `ss`; a letter in
 * title case (`ǅ`) is itself neither; and half of a surrogate pair, which has no UTF-8, is a question mark, so that an operand with an
 * emoji does not match that emoji.
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
      else return -1;
    }
    return end - at;
  };
}

function formsOf(text: string): Forms[] {
  return Array.from({ length: text.length }, (_, index) => {
    const unit = text.charAt(index);
    return isSurrogate(unit) ? { lower: '?', upper: '?' } : { lower: unit.toLowerCase(), upper: unit.toUpperCase() };
  });
}

function isSurrogate(unit: string): boolean {
  return unit >= '\ud800' && unit <= '\udfff';
}
