import { parseArgs } from "node:util";
import { PROJECT } from "./services/local-host.ts";

export const HELP = `Usage: npm run bench -- [options]

Measures the app alongside other tools on this machine, each figure the median of several runs, and writes
bench/results/latest.json, the tables in docs/performance.md, and the chart docs/images/speed.svg.
Tools and services that are not installed are skipped, and named: rclone, restic, nginx-light (Debian).

Options:
  --quick          small sizes, one run each: some minutes; results go to bench/results/tmp and nowhere else
  --only NAME,…    only these measures; the others stay as they were: small, few, large, mixed,
                   unchanged, mixed-unchanged, touched, restore, traffic, ceiling, growth, growth-packs,
                   growth-unchanged, questions, huge, huge-packs, engine, throttled
  --runs N         runs of each (default 3, with --quick 1)
  --processes N    worker processes of the measure engine (default 1)
  --build DIR      measures the app and host that are built in DIR/dist (default: this project's)
  --help           this text

Environment:
  BENCH_TMP        where trees and the storage's data are kept (default: the system's folder for temporary files);
                   all measures together need about 25 GB there

Exit codes:
  0  everything was measured, or skipped with a reason
  1  something could not be measured; standard error says which tool failed, and why
  2  the arguments are wrong
`;

export interface Options {
  quick: boolean;
  /** Names of measures; none means all. */
  only: string[];
  runs: number;
  /** Worker processes of the measure `engine`. */
  processes: number;
  build: string;
}

/** @returns undefined if help was requested. @throws Error that says what is wrong */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      runs: { type: "string" },
      processes: { type: "string", default: "1" },
      build: { type: "string", default: PROJECT },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const runs = count("--runs", values.runs ?? (values.quick ? "1" : "3"));
  const processes = count("--processes", values.processes);
  const only = values.only.flatMap((names) => names.split(",")).filter((name) => name !== "");
  return { quick: values.quick, only, runs, processes, build: values.build };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${option}: expected a whole number of at least 1`);
  return value;
}
