import { printable } from "../src/model/path.ts";
import { isGood, type Run } from "../client/answers.ts";
import { COMMAND } from "./command-name.ts";
import { Failure } from "./failure.ts";
import { narrowed, type Narrowing } from "./narrowing.ts";
import { allRuns } from "./pages.ts";
import type { Session } from "./session.ts";
import { isTime, time } from "./values.ts";

/** Fewer characters match too many runs. */
const LEAST = 4;
/** How many characters of an id to show: enough to tell runs apart. */
export const SHORT_ID = 8;
/** How many directories or destinations a refusal names. */
const NAMED = 10;

const BEGINNING = /^[0-9a-f]{1,31}$/;
const LATEST = /^latest(?:~(\d{1,6}))?$/;

/** Which backups "latest" and a time may mean. */
interface Wanted {
  fits: (run: Run) => boolean;
  /** What such a run is called. */
  noun: string;
}

export const RESTORABLE: Wanted = { fits: isGood, noun: "restorable backup" };
export const ENDED: Wanted = {
  fits: ({ status, postdated }) => (status === "completed" || status === "failed") && !postdated,
  noun: "finished backup",
};
export const RUNNING: Wanted = { fits: ({ status }) => status === "running", noun: "running backup" };
export const ANY: Wanted = { fits: ({ postdated }) => !postdated, noun: "backup" };

/**
 * A run's id from what was typed: the id, or a beginning of it that only one run has; "latest" for the newest wanted
 * backup, "latest~1" for the one before it; or a time, for the newest that began at or before it.
 * @throws Failure, also if the backups that it could be are of several directories or destinations
 */
export async function resolveRun(
  typed: string,
  session: Session,
  options: Narrowing,
  wanted: Wanted,
): Promise<string> {
  const latest = LATEST.exec(typed);
  if (!latest && !isTime(typed)) return await byId(typed, session, options);
  const until = latest ? undefined : time("RUN", typed);
  const query = { kind: "backup", until, ...narrowed(options) };
  const runs: Run[] = [];
  for await (const run of allRuns(session, query)) if (wanted.fits(run)) runs.push(run);
  refuseSeveral(wanted.noun, runs);
  const run = runs[Number(latest?.[1] ?? 0)];
  if (run) return run.id;
  const among = `${wanted.noun}${runs.length > 1 ? "s" : ""}${givenWords(options)}`;
  if (until !== undefined) throw new Failure(`There is no ${among} that began at or before ${typed}.`);
  if (runs.length === 0) throw new Failure(`There is no ${among}.`);
  throw new Failure(
    `There is no ${typed}: there ${runs.length > 1 ? "are" : "is"} only ${runs.length} ${among}.`,
  );
}

async function byId(typed: string, session: Session, options: Narrowing): Promise<string> {
  if (givenWords(options) !== "")
    throw new Failure(
      '--root, --container and --prefix narrow "latest" or a time; leave them out when you name a run by its id.',
    );
  if (!BEGINNING.test(typed)) return typed;
  if (typed.length < LEAST)
    throw new Failure(`"${typed}" is too short: give at least ${LEAST} characters of a run's id.`);
  const found: Run[] = [];
  for await (const run of allRuns(session, { kind: "all" })) if (run.id.startsWith(typed)) found.push(run);
  const [first, ...others] = found;
  if (others.length > 0)
    throw new Failure(`${others.length + 1} runs have ids that start with ${typed}: give more characters.`);
  // If none matches, the app gives the error.
  return first?.id ?? typed;
}

/** @throws Failure that lists the directories to choose from; of one directory, the destinations */
function refuseSeveral(noun: string, runs: readonly Run[]): void {
  const roots = new Set(runs.map(({ root }) => `--root ${word(root)}`));
  if (roots.size > 1) throw severalOf("of several directories", roots);
  const prefixes = Map.groupBy(runs, ({ destination }) => destination.container);
  const places = new Set(
    runs.map(({ destination: { container, prefix } }) => {
      const isShared = prefixes.get(container)?.some((other) => other.destination.prefix !== prefix);
      return `--container ${container}${isShared ? ` --prefix ${word(prefix || "/")}` : ""}`;
    }),
  );
  if (places.size > 1) throw severalOf("in several destinations", places);

  function severalOf(where: string, choices: ReadonlySet<string>): Failure {
    const some = [...choices].slice(0, NAMED).map((choice) => `  ${choice}`);
    const more = choices.size > NAMED ? [`  … and ${choices.size - NAMED} more: ${COMMAND} runs`] : [];
    return new Failure([`There are ${noun}s ${where}. Say which one you mean:`, ...some, ...more].join("\n"));
  }
}

/** The narrowing options that are given, as a phrase. */
function givenWords({ root, container, prefix }: Narrowing): string {
  const given = Object.entries({ root, container, prefix }).filter((entry) => entry[1] !== undefined);
  return given.length === 0
    ? ""
    : ` with ${given.map(([name, value]) => `--${name} ${word(value ?? "")}`).join(" ")}`;
}

/** A value as a shell takes it. */
function word(value: string): string {
  const text = printable(value);
  return /^[\w./:@%+=,\\-]+$/.test(text) ? text : `"${text}"`;
}
