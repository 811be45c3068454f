import type { HttpRequest } from "@azure/functions";
import { HttpProblem } from "./problem.ts";

/** The run that a route names. */
export function runIdOf(request: HttpRequest): string {
  return request.params["runId"] ?? "";
}

/** The path of a run, and what those of its routes begin with. */
export function pathOf(id: string): string {
  return `/backups/${encodeURIComponent(id)}`;
}

/** @throws HttpProblem 404 if there is no run */
export function known<T>(run: T | undefined, id: string): T {
  if (run === undefined)
    throw new HttpProblem(404, `There is no run "${id.slice(0, 64)}". A prune may have deleted its record.`);
  return run;
}
