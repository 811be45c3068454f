import type { BlobClient } from "@azure/storage-blob";
import pMap from "p-map";
import type { Outcome } from "../backup/outcome.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { takingTurns } from "../model/in-turns.ts";
import { classify, describe } from "../storage/errors.ts";
import { lookUp } from "../backup/look-up.ts";
import { withRetries } from "../storage/retries.ts";
import { contentsByName, type Content } from "./list-contents.ts";
import { readNeeds } from "./needs.ts";
import { stopped, type Prune, type SliceResult } from "./step.ts";
import { superfluous } from "./superfluous.ts";

/** Names that one slice deletes contents of: well within the five minutes that a function has, also where storage is slow. */
const MOST = 5_000;
/** Names that are deleted at a time; the process's budget of requests limits them further. */
const AT_A_TIME = 64;

/** Deletes what of one partition no run that stays needs; in a dry run only records it. */
export async function deleteContents(prune: Prune, partition: number, slice: number): Promise<SliceResult> {
  const record = `outcomes/${partition}-${String(slice).padStart(4, "0")}.jsonl`;
  const { names, done } = await superfluousOf(prune, partition, slice);
  const before = await readTally(prune.ledger, record);
  if (before) return { tally: before, done };
  let refused: string | undefined;
  const outcomes = await pMap(
    names,
    async (contents) => {
      const ofName: Outcome[] = [];
      if (await prune.isCanceled()) return ofName;
      for (const content of contents) {
        const outcome = await remove(content, prune);
        if (outcome === "refused") refused = REFUSED_VERSION;
        else ofName.push(outcome);
      }
      return ofName;
    },
    { concurrency: AT_A_TIME },
  );
  if (refused !== undefined) return stopped(refused);
  return { tally: await settleOutcomes(prune.ledger, record, outcomes.flat()), done };
}

/** What goes, a list a name; the same ones for the same slice, for needs and contents are settled. */
async function superfluousOf(prune: Prune, partition: number, slice: number) {
  const needs = await readNeeds(prune, partition);
  const { staying, lingering } = prune.decision;
  const runs = { staying: new Set(staying), lingering };
  const names: Content[][] = [];
  let met = 0;
  const turn = takingTurns();
  for await (const contents of contentsByName(prune, partition)) {
    await turn();
    const go = superfluous(contents, needs, runs);
    if (go.length === 0) continue;
    if (names.length === MOST) return { names, done: false };
    if (met++ >= slice * MOST) names.push(go);
  }
  return { names, done: true };
}

const REFUSED_VERSION =
  "The storage account refused to delete a version. That takes the permission to delete versions: of a SAS, the letter " +
  '"x"; of the app\'s identity, the role "Storage Blob Data Owner" on the container.';

async function remove(
  content: Content,
  { decision, service, budget, ensureLock }: Prune,
): Promise<Outcome | "refused"> {
  const { request } = decision;
  const blob = service.getContainerClient(request.container).getBlobClient(content.name);
  const outcome = (name: Outcome["outcome"], reason: string): Outcome => ({
    path: request.prefix === "" ? content.name : content.name.slice(request.prefix.length + 1),
    outcome: name,
    kind: "file",
    size: name === "deleted" ? content.size : 0,
    ...(content.md5 === undefined ? {} : { md5: content.md5 }),
    reason,
  });
  const what = `${whatIs(content)}, written by the run ${content.run}`;
  if (request.dryRun) return outcome("deleted", `would be: ${what}`);
  const send = (target: BlobClient, conditions: { ifMatch?: string }) =>
    budget.request(() =>
      withRetries(async (abortSignal) => {
        await ensureLock();
        await target.deleteIfExists({ abortSignal, conditions });
      }),
    );
  try {
    if (content.snapshot !== undefined) await send(blob.withSnapshot(content.snapshot), {});
    if (content.etag !== undefined) await send(blob, { ifMatch: content.etag });
    // Of a versioned blob that leaves what it was as an older version.
    if (content.versionId !== undefined) await send(blob.withVersion(content.versionId), {});
    return outcome("deleted", what);
  } catch (error) {
    const failure = classify(error);
    if (failure === "missing") return outcome("deleted", what);
    if (failure === "refused" && content.versionId !== undefined) return "refused";
    if (failure === "conflict") {
      // Of a blob that is gone, too: another delivery deleted it, or a request whose answer was lost.
      const now = await budget.request(() => lookUp(blob));
      if (!now) return outcome("deleted", what);
      if (now.md5 !== content.md5 || now.marks?.run !== content.run)
        return outcome("skipped", "somebody has written it meanwhile");
      return outcome(
        "failed",
        "another program has changed its properties meanwhile; the next prune deletes it",
      );
    }
    // Its run's record stays, by which the next prune knows of it.
    if (failure === "held" || failure === "invalid") return outcome("failed", describe(error));
    throw error;
  }
}

function whatIs({ snapshot, versionId, etag }: Content): string {
  if (snapshot !== undefined) return `the snapshot of ${snapshot}`;
  return etag === undefined ? `the version of ${versionId}` : "the blob";
}
