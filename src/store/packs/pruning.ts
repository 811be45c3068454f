import type { Pruning } from "../pruning.ts";
import type { At } from "./format.ts";

export function pruning(_at: At): Pruning {
  return {} as never;
}
