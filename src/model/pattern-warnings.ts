import { filesOf, type Tally } from "./outcome.ts";
import { nameOf, printable } from "./path.ts";

/** The most warnings of a run; more would not be read, and a custom status has little room. */
const MOST = 10;
/** The most characters of a pattern or root that a warning shows. */
const SHOWN = 200;

/** The request's patterns, and what they are relative to. */
export interface Asked {
  include: readonly string[];
  exclude: readonly string[];
  /** The only path that they select from; see pathInRun. */
  path?: string | undefined;
  /** What they select from, as warnings call it. */
  of: string;
  /** A match may be something to delete. */
  deletes?: boolean;
  /** Directories that someone may have put before a pattern by mistake; the first is the root. */
  roots: readonly [string, ...string[]];
}

/** Warnings for patterns that matched nothing, and why the run fails if the patterns exclude everything. */
export function judgePatterns(
  patterns: Asked,
  { counts, matched = [], stopped }: Tally,
): { warnings?: string[]; stopped?: string } {
  // The run did not see everything.
  if (stopped !== undefined) return {};
  const { include, path, of, deletes = false } = patterns;
  const warnings = patternWarnings(patterns, matched);
  const any =
    filesOf(counts) + counts.directories > 0 || (deletes && matched.some((place) => place < include.length));
  if (any) return { warnings };
  if (include.length > 0)
    return { warnings, stopped: [`The patterns select nothing in ${of}.`, ...warnings].join(" ") };
  if (path === undefined) return { warnings };
  return { warnings, stopped: `There is no ${quoted(path)} in ${of}, or none of it was backed up.` };
}

/**
 * A warning for each pattern that matched nothing.
 * @param matched positions of the others in `include` followed by `exclude`
 */
export function patternWarnings(asked: Asked, matched: readonly number[]): string[] {
  const { include, exclude, roots } = asked;
  const warnings = [...include, ...exclude].flatMap((pattern, place) => {
    if (matched.includes(place)) return [];
    const hint = hintFor(pattern, roots);
    const list = place < include.length ? "include" : "exclude";
    return [`Nothing matches ${quoted(pattern)} in "${list}"${hint === undefined ? "" : `: ${hint}`}.`];
  });
  const more = warnings.length - MOST;
  return more > 0 ? [...warnings.slice(0, MOST), `Nothing matches ${more} more patterns.`] : warnings;
}

/** What was probably meant; undefined if unknown. */
function hintFor(pattern: string, roots: Asked["roots"]): string | undefined {
  const below = roots.flatMap((root) => {
    const path = root.replaceAll("\\", "/").replace(/\/+$/, "");
    const name = nameOf(path);
    return [`${path}/`, `${name}/`, `/${name}/`].map((start) => ({ root, start }));
  });
  const asPath = pattern.replaceAll("\\", "/");
  for (const { root, start } of [...below, { root: roots[0], start: "./" }]) {
    if (start === "/" || !`${asPath}/`.startsWith(start)) continue;
    return `patterns begin below ${shown(root)}, so write ${quoted(`/${asPath.slice(start.length)}`)}`;
  }
  if (/^[a-z]:[\\/]/i.test(pattern)) return `patterns begin below ${shown(roots[0])}, without a drive`;
  if (pattern.includes("{")) return "braces stand for themselves, so give each pattern by itself";
  if (pattern.includes(",")) return "a comma stands for itself, so give each pattern by itself";
  if (/\\[\w.]/.test(pattern)) return 'write "/" between names';
  if (pattern.startsWith("/")) return `the "/" that it begins with stands for ${shown(roots[0])}`;
  return undefined;
}

function quoted(text: string): string {
  return `"${shown(text)}"`;
}

function shown(text: string): string {
  return printable(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}
