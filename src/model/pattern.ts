/**
 * One pattern, by the rules of `.gitignore`: `*` and `?` stand for what is within a name, `**` for any folders, `[…]` for
 * one of some characters; `\` takes the next character as it is. With a `/` at the start or in the middle a pattern
 * begins at the root, without one it matches at any depth; with one at the end it matches directories only. `?` and
 * `[…]` take one character, as gitignore's documentation has it (git itself takes a byte of UTF-8); a byte of a name
 * that is not valid UTF-8 counts as one (see path.ts). Case matters.
 *
 * It is a list of states: a name is read once, each character moves the states that are reached. So the time is at most
 * the length of the name times that of the pattern, whoever chose them.
 */
export class Pattern {
  /**
   * States visited so far: at most one for each character of the pattern and each of the names, and two more a name.
   */
  steps = 0;
  readonly #directoriesOnly: boolean;
  /** Matches the whole path from the root, rather than each name by itself. */
  readonly #anchored: boolean;
  readonly #states: readonly State[];
  readonly #reached: Uint8Array;

  constructor(text: string) {
    this.#directoriesOnly = text.endsWith("/");
    const bare = this.#directoriesOnly ? text.slice(0, -1) : text;
    this.#anchored = bare.includes("/");
    this.#states = parse(Array.from(bare.replace(/^\//, "")), this.#anchored);
    this.#reached = new Uint8Array(this.#states.length);
  }

  /** Whether the path, or a directory above it, matches. */
  covers(path: string, isDirectory: boolean): boolean {
    let highest = this.#start();
    for (let at = 0; at < path.length;) {
      const character = path.codePointAt(at)!;
      if (character === SLASH && this.#atEnd()) return true;
      if (character === SLASH && !this.#anchored) highest = this.#start();
      else if (highest >= 0) highest = this.#step(character, highest);
      else if (this.#anchored) return false;
      at += character > 0xffff ? 2 : 1;
    }
    return this.#atEnd() && (isDirectory || !this.#directoriesOnly);
  }

  #start(): number {
    this.#reached.fill(0);
    return this.#enter(0);
  }

  #atEnd(): boolean {
    return this.#reached.at(-1) === 1;
  }

  /** @returns the highest state reached; -1 if there is none */
  #step(character: number, highest: number): number {
    this.steps += highest + 1;
    let now = -1;
    // Downwards, so that a state entered is not visited again for the same character.
    for (let index = highest; index >= 0; index--) {
      if (this.#reached[index] === 0) continue;
      const { stays, takes } = this.#states[index]!;
      const stay = stays === "path" || (stays === "name" && character !== SLASH);
      this.#reached[index] = stay ? 1 : 0;
      if (stay) now = Math.max(now, index);
      if (takes?.(character)) now = Math.max(now, this.#enter(index + 1));
    }
    return now;
  }

  #enter(index: number): number {
    this.#reached[index] = 1;
    return this.#states[index]!.passable ? this.#enter(index + 1) : index;
  }
}

/** The path that all that a pattern matches is at, or below; "" if that may be anywhere. */
export function placeOf(text: string): string {
  const bare = text.replace(/\/$/, "");
  if (!bare.includes("/")) return "";
  const names: string[] = [];
  for (const name of bare.replace(/^\//, "").split("/")) {
    if (!/^(?:[^*?[\\]|\\.)*$/su.test(name)) break;
    names.push(name.replaceAll(/\\(.)/gsu, "$1"));
  }
  return names.join("/");
}

interface State {
  /** What a preceding star matches. */
  stays: "nothing" | "name" | "path";
  /** Whether a character leads to the next state; none does in the last one. */
  takes?: Takes;
  /** Folders (a `**` and its slash), possibly none: reaching this state reaches the next one, too. */
  passable: boolean;
}

type Takes = (character: number) => boolean;

const SLASH = 0x2f;

/** @returns the states; the last one means a match */
function parse(glob: readonly string[], anchored: boolean): State[] {
  const states: State[] = [];
  let stays: State["stays"] = "nothing";
  let passable = false;
  for (let at = 0; at < glob.length;) {
    if (glob[at] === "*") {
      const first = at;
      while (glob[at] === "*") at++;
      const folders = anchored && at - first > 1 && isWhole(glob, first, at);
      const again = folders && glob[at] === "/" && states.at(-1)?.passable === true;
      // "**/**/" means the same as "**/".
      if (again) at++;
      stays = again ? "nothing" : folders ? "path" : "name";
      passable = folders && !again && glob[at] === "/";
      continue;
    }
    const piece = glob[at] === "[" ? set(glob, at + 1) : single(glob, at);
    // A malformed pattern matches nothing.
    if (piece === undefined) return [{ stays: "nothing", takes: () => false, passable: false }, LAST];
    states.push({ stays, takes: piece.takes, passable });
    stays = "nothing";
    passable = false;
    at = piece.end;
  }
  return [...states, { ...LAST, stays }];
}

const LAST: State = { stays: "nothing", passable: false };

/** Whether these stars fill the place between two slashes. To git a slash is not needed after text without operators. */
function isWhole(glob: readonly string[], first: number, end: number): boolean {
  const follows = first === 0 || glob[first - 1] === "/" || !glob.slice(0, first).some(isOperator);
  return (
    follows && (end === glob.length || glob[end] === "/" || (glob[end] === "\\" && glob[end + 1] === "/"))
  );
}

function isOperator(character: string): boolean {
  return "*?[\\".includes(character);
}

interface Piece {
  takes: Takes;
  /** Where the pattern continues. */
  end: number;
}

function single(glob: readonly string[], at: number): Piece | undefined {
  if (glob[at] === "?") return { takes: (character) => character !== SLASH, end: at + 1 };
  const escaped = glob[at] === "\\" ? 1 : 0;
  const wanted = glob[at + escaped]?.codePointAt(0);
  return wanted === undefined
    ? undefined
    : { takes: (character) => character === wanted, end: at + escaped + 1 };
}

/** The content of brackets, as git's wildmatch reads it. */
function set(glob: readonly string[], start: number): Piece | undefined {
  const negated = glob[start] === "!" || glob[start] === "^";
  const ranges: (readonly [from: string, to: string])[] = [];
  let from: string | undefined;
  let at = negated ? start + 1 : start;
  do {
    const name = glob[at] === "[" && glob[at + 1] === ":" ? className(glob, at + 2) : undefined;
    if (name !== undefined) {
      const known = CLASSES[name];
      if (known === undefined) return undefined;
      ranges.push(...known);
      at += name.length + 4;
      from = undefined;
      continue;
    }
    const isRange =
      glob[at] === "-" && from !== undefined && glob[at + 1] !== undefined && glob[at + 1] !== "]";
    if (isRange) at++;
    if (glob[at] === "\\") at++;
    const character = glob[at++];
    if (character === undefined) return undefined;
    ranges.push([isRange ? from! : character, character]);
    from = isRange ? undefined : character;
  } while (glob[at] !== "]");
  const bounds = ranges.map(([low, high]) => [low.codePointAt(0)!, high.codePointAt(0)!] as const);
  const takes: Takes = (character) =>
    character !== SLASH && negated !== bounds.some(([low, high]) => low <= character && character <= high);
  return { takes, end: at + 1 };
}

/** The name of a class such as `[:digit:]`; undefined if no `:]` ends it. */
function className(glob: readonly string[], start: number): string | undefined {
  const end = glob.indexOf("]", start);
  return end > start && glob[end - 1] === ":" ? glob.slice(start, end - 1).join("") : undefined;
}

const digit = [["0", "9"]] as const;
const lower = [["a", "z"]] as const;
const upper = [["A", "Z"]] as const;
const CLASSES: Record<string, readonly (readonly [string, string])[]> = {
  alnum: [...digit, ...lower, ...upper],
  alpha: [...lower, ...upper],
  blank: [
    [" ", " "],
    ["\t", "\t"],
  ],
  cntrl: [
    ["\0", "\x1f"],
    ["\x7f", "\x7f"],
  ],
  digit,
  graph: [["!", "~"]],
  lower,
  print: [[" ", "~"]],
  punct: [
    ["!", "/"],
    [":", "@"],
    ["[", "`"],
    ["{", "~"],
  ],
  space: [
    [" ", " "],
    ["\t", "\n"],
    ["\r", "\r"],
  ],
  upper,
  xdigit: [...digit, ["a", "f"], ["A", "F"]],
};
