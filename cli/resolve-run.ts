import type { Api } from "./api.ts";
import { Failure } from "./failure.ts";

/** A page is enough: before a backup that has ended there are at most the few that run. */
const LOOKED_AT = "50";

/** A run's id as it is, and for "latest" that of the newest backup that has ended. @throws Failure */
export async function resolveRun(run: string, api: Api): Promise<string> {
  if (run !== "latest") return run;
  const { items } = await api.runs({ kind: "backup", limit: LOOKED_AT });
  const newest = items.find(({ status }) => status === "completed" || status === "failed");
  if (!newest) throw new Failure("There is no backup yet.");
  return newest.id;
}
