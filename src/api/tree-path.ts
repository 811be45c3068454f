import { parsePath } from "../model/path.ts";
import { whyNotInRun } from "../model/request-fields.ts";
import { HttpProblem } from "./problem.ts";

/**
 * The path in a run that a query names, in its escaped form; "" is the root.
 * @throws HttpProblem 400 for a path that no run can have
 */
export function pathInTree(text: string): string {
  const why = text === "" ? undefined : whyNotInRun(text);
  if (why === undefined) return parsePath(text);
  throw new HttpProblem(
    400,
    `"path": ${why}. Give a path relative to the backup's root, such as "images/2026", escaped as in answers.`,
  );
}
