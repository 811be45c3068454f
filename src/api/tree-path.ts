import { parsePath } from "../model/path.ts";
import { unsafePath } from "../model/safe-path.ts";
import { HttpProblem } from "./problem.ts";

/**
 * The path in a run that a query names, in its escaped form; "" is the root.
 * @throws HttpProblem 400 for a path that no run can have
 */
export function pathInTree(text: string): string {
  const path = parsed(text);
  const why =
    path === undefined ? "no file can have such a name" : path === "" ? undefined : whyNowhere(path);
  if (path !== undefined && why === undefined) return path;
  throw new HttpProblem(
    400,
    `"path": ${why}. Give a path relative to the backup's root, such as "images/2026", escaped as in answers.`,
  );
}

function parsed(text: string): string | undefined {
  try {
    return parsePath(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Why no run can have such a path, as a message. What Windows cannot name does not matter: nothing is written. */
export function whyNowhere(path: string): string | undefined {
  return unsafePath(path, "linux");
}
