import type { Row } from "../results.ts";
import type { Sizes } from "../sizes.ts";

/** What a measure is given. */
export interface Bench {
  runs: number;
  /** Worker processes, where a measure lets them be chosen. */
  processes: number;
  /** Looks for the bare loop's best parallelism first, instead of taking what is best on most machines. */
  sweep: boolean;
  sizes: Sizes;
  /** The folder in which the app and the host are built. */
  build: string;
  /** Tells the person who waits. */
  readonly say: (line: string) => void;
}

/** One thing that is measured; its rows are peers or sizes. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<Row[]>;
}
