import type { Command } from "commander";
import type { Query } from "../api.ts";
import { isGood, type Layout, type Run, type Stored } from "../../client/answers.ts";
import { bytes, moment, number, placeOf } from "../../client/words.ts";
import { define } from "../define.ts";
import { ExitCode } from "../failure.ts";
import { narrowed, narrowingOptions, type Narrowing } from "../narrowing.ts";
import { allRuns } from "../pages.ts";
import { err, out, outJson, table, type Column } from "../print.ts";
import { storedAlone, type Destination } from "../stored-alone.ts";
import { withSession, type Session } from "../session.ts";

/** The backups of one directory in one destination, newest first. */
interface Series {
  root: string;
  destination: Destination;
  /** Of the newest run. */
  layout: Layout;
  good: Run[];
}

const COLUMNS: readonly Column[] = [
  { heading: "Directory" },
  { heading: "Destination" },
  { heading: "Layout", rank: 3 },
  { heading: "Runs", right: true },
  { heading: "Newest", rank: 2 },
  { heading: "Files", right: true, rank: 1 },
  { heading: "Restorable", right: true },
  { heading: "Stored", right: true },
  { heading: "Old", right: true },
];

export function addStats(program: Command): void {
  define<Narrowing>(
    program,
    {
      usage: "stats",
      description: "Show how much can be restored, and how much is stored for it.",
      examples: ["site-backup stats", "site-backup stats --container backups --json"],
      notes:
        "Restorable is what the newest good backup of a directory restores. Stored is what lies in the destination now, Old the\nsnapshots and versions beside it, of all directories that are backed up to there. The app lists the destination to count them.",
      json: ["stats"],
    },
    narrowingOptions("only backups"),
    async (options) => await withSession(options, (session) => stats(session, options)),
  );
}

async function stats(session: Session, options: Narrowing): Promise<number> {
  const query = narrowed(options);
  const all = await allSeries(session, {});
  const isNarrowed = Object.values(query).some((value) => value !== undefined);
  const asked = isNarrowed ? await allSeries(session, query) : all;
  const destinations = new Map(all.map(({ destination }) => [placeOf({ destination }), destination]));
  const measured = new Map<string, Stored>();
  const rows: string[][] = [];
  for (const { root: directory, destination, layout, good } of asked) {
    const place = placeOf({ destination });
    const isFirst = !measured.has(place);
    const stored =
      measured.get(place) ?? (await storedAlone(session, destination, [...destinations.values()]));
    measured.set(place, stored);
    const [latest] = good;
    const restored = latest?.counts && {
      files: latest.counts.copied + latest.counts.unchanged,
      bytes: latest.counts.bytes + latest.counts.unchangedBytes,
    };
    if (options.json) {
      const { container, prefix } = destination;
      outJson({
        type: "stats",
        root: directory,
        destination: { container, prefix },
        layout,
        runs: good.length,
        ...(latest && restored ? { latest: { run: latest.id, started: latest.started, ...restored } } : {}),
        stored: stored.current,
        old: stored.old,
        others: stored.others,
      });
      continue;
    }
    rows.push([
      directory,
      place,
      layout,
      number(good.length),
      latest ? moment(latest.started).slice(0, 16) : "",
      restored ? number(restored.files) : "",
      restored ? bytes(restored.bytes) : "",
      ...(isFirst ? [bytes(stored.current.bytes), bytes(stored.old.bytes)] : ["as above", "as above"]),
    ]);
  }
  if (!options.json) report(rows, measured);
  return ExitCode.done;
}

function report(rows: readonly string[][], measured: ReadonlyMap<string, Stored>): void {
  if (rows.length === 0) err("No backups.");
  else for (const line of table(COLUMNS, rows)) out(line);
  for (const [place, { others }] of measured) {
    if (others.blobs === 0) continue;
    const what = others.blobs === 1 ? "1 blob" : `${number(others.blobs)} blobs`;
    err(`${place} also has ${what} that no backup wrote, ${bytes(others.bytes)}; not counted here.`);
  }
}

/** By destination, then by directory. */
async function allSeries(session: Session, query: Query): Promise<Series[]> {
  const series = new Map<string, Series>();
  for await (const run of allRuns(session, { kind: "backup", ...query })) {
    if (run.forgotten !== undefined) continue;
    const { root, destination, layout = "files" } = run;
    const key = JSON.stringify([placeOf(run), root]);
    const known = series.get(key) ?? { root, destination, layout, good: [] };
    if (isGood(run)) known.good.push(run);
    series.set(key, known);
  }
  return [...series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}
