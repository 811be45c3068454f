import type { PlanOwn } from "../manifest/plan.ts";
import type { RestoreRequest } from "./request.ts";

/** Where a restore reads and writes, and how: what its activities are given by the orchestration, and take from no record. */
export interface RestoreScope extends Pick<RestoreRequest, "overwrite" | "delete"> {
  /** The directory to restore into, as the request names it. */
  target: string;
  /** The same with every link in it followed. */
  realTo: string;
  /** Where the contents are. */
  container: string;
  prefix: string;
}

export function restoreScope(
  { to, overwrite, delete: deletes }: RestoreRequest,
  { source, realTo }: PlanOwn,
): RestoreScope {
  const { container, prefix } = source;
  return { target: to, realTo, container, prefix, overwrite, delete: deletes };
}
