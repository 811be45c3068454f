import type { PlanOwn } from "../manifest/plan.ts";
import type { RestoreRequest } from "./request.ts";

/** Where a restore reads and writes, and how. Activities get it from the orchestration, never from a record. */
export interface RestoreScope extends Pick<RestoreRequest, "overwrite" | "delete"> {
  /** The directory to restore into, as the request names it. */
  target: string;
  /** Its real path. */
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
