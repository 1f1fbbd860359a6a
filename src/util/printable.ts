// Text from strangers (AE titles, names, paths) made fit to print: one line, nothing that moves the cursor.

// C0 and C1 controls, line and paragraph separators, and the marks that reverse the reading direction.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with everything unprintable written out as an escape, so that it cannot forge a line. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    return NAMED[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
