/** The bench's entry point: see --help, or options.ts. */
import { describeMachine } from "./measure/machine.ts";
import { HELP, readOptions, type Options } from "./options.ts";
import { publish } from "./report/publish.ts";
import { readResults, resultsFolder, writeResults, type Results, type Row } from "./results.ts";
import { select } from "./scenarios/all.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { stopAllChildren } from "./services/child.ts";
import { discardAll } from "./services/scratch.ts";
import { sizes } from "./sizes.ts";

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** @returns the exit code */
async function main(args: string[]): Promise<number> {
  let options: Options | undefined;
  let selected: readonly Scenario[];
  try {
    options = readOptions(args);
    selected = select(options?.only ?? []);
  } catch (error) {
    say(`${messageOf(error)}\nnpm run bench -- --help says more.`);
    return 2;
  }
  if (!options) {
    process.stdout.write(HELP);
    return 0;
  }
  return await measure(options, selected);
}

async function measure(
  { quick, runs, processes, build }: Options,
  selected: readonly Scenario[],
): Promise<number> {
  const folder = resultsFolder(quick);
  const results: Results = {
    machine: describeMachine(),
    measures: { ...readResults(folder)?.measures },
  };
  let failures = 0;
  for (const scenario of selected) {
    const { name, title } = scenario;
    say(`${name}: ${title}`);
    const rows = await scenario
      .run({ runs, processes, build, sweep: !quick, sizes: sizes(quick), say })
      .catch((error: unknown): Row[] => [{ name, figures: {}, failed: messageOf(error) }]);
    for (const row of rows) {
      if (row.failed !== undefined) say(`  ${row.name} FAILED: ${row.failed}`);
      if (row.skipped !== undefined) say(`  ${row.name} is skipped: ${row.skipped}`);
    }
    failures += rows.filter(({ failed }) => failed !== undefined).length;
    // Written after each measure, so that an interrupted run keeps what it has.
    results.measures[name] = { title, date: results.machine.date, rows };
    writeResults(folder, results);
  }
  process.stdout.write(await publish(results, folder, quick));
  return failures === 0 ? 0 : 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function end(code: number): Promise<never> {
  await stopAllChildren();
  discardAll();
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end(130));
main(process.argv.slice(2)).then(end, async (error: unknown) => {
  say(messageOf(error));
  await end(1);
});
