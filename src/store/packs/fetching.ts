import type { Fetching } from "../fetching.ts";
import type { At } from "./format.ts";

export function fetching(_at: At): Fetching {
  return {} as never;
}
