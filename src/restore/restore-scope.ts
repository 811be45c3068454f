import type { Place } from "../store/store.ts";
import type { PlanOwn } from "../manifest/plan-record.ts";
import type { RestoreRequest } from "./request.ts";

/** Where a restore reads and writes, and how. Activities get it from the orchestration, never from a record. */
export interface RestoreScope extends Place, Pick<RestoreRequest, "overwrite" | "delete"> {
  /** The directory to restore into, as the request names it. */
  target: string;
  realTo: string;
}

export function restoreScope(
  { to, overwrite, delete: deletes }: RestoreRequest,
  { source, realTo }: PlanOwn,
): RestoreScope {
  const { container, prefix, layout } = source;
  return { target: to, realTo, container, prefix, layout, overwrite, delete: deletes };
}
