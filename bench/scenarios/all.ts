import { ceiling } from "./ceiling.ts";
import { engine } from "./engine.ts";
import { few } from "./few.ts";
import { growth, growthPacks, growthUnchanged, huge, hugePacks } from "./growth.ts";
import { large, mixed, mixedUnchanged, restore, small, touched, unchanged } from "./peers-on-azurite.ts";
import { questions } from "./questions.ts";
import type { Scenario } from "./scenario.ts";
import { throttled } from "./throttled.ts";
import { traffic } from "./traffic.ts";

/** Every measure, in the order they are taken and shown. */
export const scenarios: readonly Scenario[] = [
  small,
  few,
  large,
  mixed,
  unchanged,
  mixedUnchanged,
  touched,
  restore,
  traffic,
  ceiling,
  growth,
  growthPacks,
  growthUnchanged,
  questions,
  huge,
  hugePacks,
  engine,
  throttled,
];

/** @throws Error that names the available measures */
export function select(names: readonly string[]): readonly Scenario[] {
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `--only: there is no "${unknown}". There are: ${scenarios.map(({ name }) => name).join(", ")}`,
    );
  }
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name));
}
