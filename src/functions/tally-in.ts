import type { Tally } from "../model/outcome.ts";

/** The tally in an activity's result. */
export function tallyIn(result: unknown): Tally | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  if ("counts" in result) return result as Tally;
  const { settled, tally, found } = result as Partial<Record<"settled" | "tally" | "found", Tally>>;
  return settled ?? tally ?? found;
}

/** Adds throttled requests to a result's tally, or to a span of a large file that is not its last. */
export function addThrottled(result: unknown, throttled: number): void {
  const counted = tallyIn(result) ?? (isUnderWay(result) ? result : undefined);
  if (counted && throttled > 0) counted.throttled = (counted.throttled ?? 0) + throttled;
}

function isUnderWay(result: unknown): result is { progress: unknown; throttled?: number } {
  return typeof result === "object" && result !== null && "progress" in result;
}
