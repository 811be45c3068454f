import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { DamagedRecord } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { INDEX_PREFIX, readIndexName, readSummary, type RunSummary } from "../ledger/run-index.ts";
import { readRun } from "../ledger/run-record.ts";
import { isSameRoot } from "../model/root-path.ts";
import type { Instances } from "./engine.ts";
import { listPages } from "./list-ledger.ts";
import { fromToken, toToken } from "./pages.ts";
import type { RunsQuery } from "./query-schema.ts";
import { currentRecord, viewOfEnded } from "./read-run.ts";
import { viewOf } from "./run-view.ts";
import type { RunPage } from "./schema.ts";

/** Where a page ended: the list call's marker, and the last name returned. */
const place = z.object({ marker: z.string().optional(), after: z.string() });

/**
 * A page of runs, newest first, from the index of runs: one list call if nothing is filtered. The durable engine is
 * asked about those whose record says running.
 * @throws BadContinuation
 */
export async function listRuns(
  service: BlobServiceClient,
  instances: Instances,
  query: RunsQuery,
): Promise<RunPage> {
  const from = query.continuation === undefined ? undefined : fromToken(place, query.continuation);
  const since = query.since === undefined ? -Infinity : Date.parse(query.since);
  const until = query.until === undefined ? Infinity : Date.parse(query.until);
  const page: RunPage = { runs: [] };
  const damaged: string[] = [];
  const end = (): RunPage => (damaged.length === 0 ? page : { ...page, damaged });
  let last: z.infer<typeof place> | undefined;
  for await (const { blobs, marker } of listPages(service, INDEX_PREFIX, { from: from?.marker })) {
    for (const blob of blobs) {
      const entry = readIndexName(blob.name);
      // By name, not by position: runs may have come or gone since.
      if (!entry || (from && blob.name <= from.after) || entry.started > until) continue;
      if (entry.started < since) return end();
      const summary =
        readSummary(blob) ?? (await readRun(new Ledger(service, entry.id)).catch(damagedAsMissing));
      if (summary === "damaged") damaged.push(entry.id.slice(0, 128));
      if (!summary || summary === "damaged" || !isWanted(summary, query)) continue;
      const run = await asItStands(service, instances, summary);
      if (query.status !== undefined && run.status !== query.status) continue;
      if (last && page.runs.length === query.limit) return { ...end(), continuation: toToken(last) };
      page.runs.push(run.status === "running" ? viewOf(service, run) : await viewOfEnded(service, run));
      last = { ...(marker === undefined ? {} : { marker }), after: blob.name };
    }
  }
  return end();
}

/** The run's current state: its record may say running though the engine knows better. */
async function asItStands(
  service: BlobServiceClient,
  instances: Instances,
  run: RunSummary,
): Promise<RunSummary> {
  if (run.status !== "running") return run;
  const current = await currentRecord(service, instances, run.id).catch(damagedAsMissing);
  return current === undefined || current === "damaged" ? run : current;
}

/** One unreadable record must not hide the others. */
function damagedAsMissing(error: unknown): "damaged" {
  if (error instanceof DamagedRecord) return "damaged";
  throw error;
}

/** Judged by the record; whether a run that seems to be running has ended is not known yet. */
function isWanted(run: RunSummary, { kind, status, root, container, prefix }: RunsQuery): boolean {
  return (
    (kind === "all" || (run.kind ?? "backup") === kind) &&
    (status === undefined || run.status === status || run.status === "running") &&
    (root === undefined || isSameRoot(run.root, root)) &&
    (container === undefined || run.container === container) &&
    (prefix === undefined || run.prefix === prefix)
  );
}
