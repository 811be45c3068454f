import type { Run } from "../client/answers.ts";
import type { Api } from "./api.ts";
import { Failure } from "./failure.ts";

/** A page is enough: before a backup that has ended there are at most the few that run, or that failed in a row. */
const LOOKED_AT = "200";
/** The runs among which the beginning of an id is looked for: the newest, as many as the app gives at a time. */
const KNOWN = "1000";
const BEGINNING = /^[0-9a-f]{1,31}$/;
/** Fewer characters fit too many runs to be a name. */
const LEAST = 4;
/** Characters of an id that tell runs apart for a person. */
export const SHORT_ID = 8;

/**
 * A run's id from what was typed: the id, its beginning where only one run has that, or "latest" for the newest backup
 * that has ended.
 * @param fits which of these "latest" may be
 * @throws Failure
 */
export async function resolveRun(
  run: string,
  api: Api,
  fits: (run: Run) => boolean = () => true,
): Promise<string> {
  if (run === "latest") return await latest(api, fits);
  if (!BEGINNING.test(run)) return run;
  if (run.length < LEAST)
    throw new Failure(`"${run}" is too short: give at least ${LEAST} characters of a run's id.`);
  const { items } = await api.runs({ kind: "all", limit: KNOWN });
  const [first, ...others] = items.filter(({ id }) => id.startsWith(run));
  if (others.length > 0)
    throw new Failure(
      `${others.length + 1} runs have ids that begin with ${run}: give more characters of it.`,
    );
  // What none begins with, the app knows how to refuse.
  return first?.id ?? run;
}

async function latest(api: Api, fits: (run: Run) => boolean): Promise<string> {
  const { items } = await api.runs({ kind: "backup", limit: LOOKED_AT });
  const newest = items.find(
    (run) => (run.status === "completed" || run.status === "failed") && !run.postdated && fits(run),
  );
  if (!newest) throw new Failure(`There is no backup yet that "latest" could be.`);
  return newest.id;
}
