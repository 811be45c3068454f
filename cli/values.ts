import { printable } from "../src/model/path.ts";
import { Failure } from "./failure.ts";

/** A positive count. @throws Failure */
export function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Failure(`${option} takes a number of at least 1, not "${printable(text)}".`);
  return Number(text);
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** A path in a run, as the app takes it: slashes at its ends mean nothing. Undefined for all of the run. */
export function pathInRun(text = ""): string | undefined {
  return text.replace(/^\/+|\/+$/g, "") || undefined;
}

/** Whether a text begins as a time does. No run's id does. */
export function isTime(text: string): boolean {
  return /^\d{4}-\d/.test(text);
}

/**
 * A time as the API takes it, from 2026-11-23, "2026-11-23 18:00" or any ISO 8601 form. Without a zone it is in this
 * machine's, and a day begins at its midnight.
 * @throws Failure, also for a day that does not exist
 */
export function time(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, day = "", clock = "00:00", zone = ""] = TIME.exec(text) ?? [];
  const value = new Date(`${day}T${clock}${zone}`);
  if (Number.isNaN(value.getTime()))
    throw new Failure(`${option} takes a time such as "2026-11-23 18:00", not "${printable(text)}".`);
  // 30 February would be read as 2 March.
  if (!new Date(`${day}T00:00Z`).toISOString().startsWith(day))
    throw new Failure(`${option}: there is no day ${day}.`);
  return value.toISOString();
}
