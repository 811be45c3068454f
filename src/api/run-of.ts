import type { HttpRequest } from "@azure/functions";
import { BadContinuation } from "./continuation.ts";
import { HttpProblem } from "./problem.ts";

/** The run that a route names. */
export function runIdOf(request: HttpRequest): string {
  return request.params["runId"] ?? "";
}

/** @throws HttpProblem 404 if there is no run */
export function known<T>(run: T | undefined, id: string): T {
  if (run === undefined)
    throw new HttpProblem(404, `There is no run "${id.slice(0, 64)}". A prune may have deleted its record.`);
  return run;
}

/** A page of a list. @throws HttpProblem 400 for a continuation that no page returned */
export async function pageOf<T>(page: Promise<T>): Promise<T> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof BadContinuation) throw new HttpProblem(400, `"continuation": ${error.message}.`);
    throw error;
  }
}
