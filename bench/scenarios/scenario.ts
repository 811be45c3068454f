import type { Row } from "../results.ts";
import type { Sizes } from "../sizes.ts";

/** The input of a measure. */
export interface Bench {
  runs: number;
  /** Worker processes, for measures that let them be chosen. */
  processes: number;
  /** Looks for the bare loop's best parallelism first, instead of using what is best on most machines. */
  sweep: boolean;
  sizes: Sizes;
  /** The folder in which the app and the host are built. */
  build: string;
  /** Reports progress to the user. */
  readonly say: (line: string) => void;
}

/** A measure; its rows are peers or sizes. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<Row[]>;
}
