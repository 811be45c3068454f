import type { BlobClient } from "@azure/storage-blob";
import pMap from "p-map";
import type { Outcome } from "../model/outcome.ts";
import { ChangedRecord } from "../ledger/damaged.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { takingTurns } from "../model/in-turns.ts";
import { classify, describe } from "../storage/errors.ts";
import { lookUp } from "../store/files/look-up.ts";
import { contentsByName, type Content } from "./list-contents.ts";
import { readNeeds } from "./needs.ts";
import { stopped, type Erase, type Prune, type PruneScope, type SliceResult } from "./step.ts";
import { superfluous } from "./superfluous.ts";
import { sliceOutcomes } from "../ledger/names.ts";

/** Names that one slice deletes contents of: well within the five minutes that a function has, also where storage is slow. */
const MOST = 5_000;
/** Names that are deleted at a time; the process's budget of requests limits them further. */
const AT_A_TIME = 64;

/** Deletes what of one partition no run that stays needs; in a dry run only records it. */
export async function deleteContents(prune: Prune, partition: number, slice: number): Promise<SliceResult> {
  const record = sliceOutcomes(String(partition), slice);
  const { names, done } = await superfluousOf(prune, partition, slice);
  const before = await readTally(prune.ledger, record);
  if (before) return { tally: before, done };
  const { erase } = prune;
  const take = async (content: Content) =>
    erase
      ? await remove(content, prune, erase)
      : outcomeOf(content, prune.scope)("deleted", `would be: ${whatIs(content)}`);
  let refused: string | undefined;
  const outcomes = await pMap(
    names,
    async (contents) => {
      const ofName: Outcome[] = [];
      if (await prune.isCanceled()) return ofName;
      for (const content of contents) {
        const outcome = await take(content);
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

/** The outcome of a content, as a line of the prune's outcomes. */
function outcomeOf(content: Content, { prefix }: PruneScope) {
  return (outcome: Outcome["outcome"], reason: string): Outcome => ({
    path: prefix === "" ? content.name : content.name.slice(prefix.length + 1),
    outcome,
    kind: "file",
    size: outcome === "deleted" ? content.size : 0,
    ...(content.md5 === undefined ? {} : { md5: content.md5 }),
    reason,
  });
}

/**
 * Deletes a content, if it is there as it was listed. The list is a record, which others may have written since: what has
 * not the product's mark, or another run's, or another content, stays.
 */
async function remove(content: Content, prune: Prune, erase: Erase): Promise<Outcome | "refused"> {
  const { scope, service, budget, ledger } = prune;
  const { container, prefix } = scope;
  if (prefix !== "" && !content.name.startsWith(`${prefix}/`))
    throw new ChangedRecord(`${ledger.runId}/lists`);
  const blob = service.getContainerClient(container).getBlobClient(content.name);
  const outcome = outcomeOf(content, scope);
  try {
    for (const target of targetsOf(content, blob)) {
      const now = await budget.request(() => lookUp(target));
      if (!now) continue;
      if (now.marks === undefined || now.marks.run !== content.run || now.md5 !== content.md5)
        return outcome("skipped", "somebody has written it meanwhile");
      await erase(target, target === blob ? { conditions: { ifMatch: now.etag } } : {});
    }
    return outcome("deleted", whatIs(content));
  } catch (error) {
    const failure = classify(error);
    if (failure === "refused" && content.versionId !== undefined) return "refused";
    if (failure === "conflict") return outcome("skipped", "somebody has written it meanwhile");
    // Its run's record stays, by which the next prune knows of it.
    if (failure === "held" || failure === "invalid") return outcome("failed", describe(error));
    throw error;
  }
}

/** A snapshot; or a blob, which of a versioned one leaves what it was as an older version; or such a version. */
function targetsOf({ snapshot, versionId, etag }: Content, blob: BlobClient): BlobClient[] {
  if (snapshot !== undefined) return [blob.withSnapshot(snapshot)];
  return [
    ...(etag === undefined ? [] : [blob]),
    ...(versionId === undefined ? [] : [blob.withVersion(versionId)]),
  ];
}

function whatIs({ snapshot, versionId, etag, run }: Content): string {
  const version = etag === undefined ? `the version of ${versionId}` : "the blob";
  return `${snapshot === undefined ? version : `the snapshot of ${snapshot}`}, written by the run ${run}`;
}
