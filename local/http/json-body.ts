/** JSON from strangers. */

/** The most levels of arrays and objects, as in the real host's parser. */
const DEEPEST = 64;

/**
 * Parses the text of a request's body. Throws SyntaxError when it is not JSON or nested too deeply: a few megabytes of
 * brackets would take all of the memory, here and wherever the value is read again.
 */
export function parseBody(text: string): unknown {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else quoted = character !== '"';
    } else if (character === '"') quoted = true;
    else if (character === "[" || character === "{") {
      if (++depth > DEEPEST) throw new SyntaxError(`It is nested more than ${DEEPEST} levels deep.`);
    } else if (character === "]" || character === "}") depth--;
  }
  return JSON.parse(text);
}
