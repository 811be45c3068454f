import { moment } from "../../client/words.ts";
import { h } from "./element.ts";

/** A date and time in the browser's time zone; the title has it in UTC. */
export function momentText(iso: string): HTMLElement {
  const utc = `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return h("time", { datetime: iso, title: utc }, moment(iso));
}
