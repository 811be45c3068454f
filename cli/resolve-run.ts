import type { Run } from "../client/answers.ts";
import type { Api } from "./api.ts";
import { Failure } from "./failure.ts";

/** One page is enough: newer than the newest ended backup there are only a few that run or failed in a row. */
const LOOKED_AT = "200";
/** How many of the newest runs are searched for the start of an id: as many as the app returns at a time. */
const KNOWN = "1000";
const BEGINNING = /^[0-9a-f]{1,31}$/;
/** Fewer characters match too many runs. */
const LEAST = 4;
/** How many characters of an id tell runs apart for a person. */
export const SHORT_ID = 8;

/**
 * A run's id from what was typed: the id, a start of it that only one run has, or "latest" for the newest backup that
 * has ended.
 * @param fits which runs "latest" may mean
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
    throw new Failure(`${others.length + 1} runs have ids that start with ${run}: give more characters.`);
  // If none starts with it, the app knows how to refuse.
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
