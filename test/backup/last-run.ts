/** What the tests of comparing with the last run's record share. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../../src/ledger/ledger.ts";
import { indexRun } from "../../src/ledger/run-index.ts";
import { readRun, type RunRecord } from "../../src/ledger/run-record.ts";
import { makeTree, type TreeSpec } from "../harness/tree.ts";

export const RECORD = { mode: "incremental", compareWith: "record" };

/** A tree, and the request that backs it up to a container of its own. */
export async function newTree(folder: string, spec: TreeSpec) {
  const root = await makeTree(path.join(folder, randomUUID()), spec);
  return { root, container: `test-${randomUUID()}` };
}

export async function comparedWith(service: BlobServiceClient, run: string) {
  return (await readRun(new Ledger(service, run)))?.comparedWith;
}

/** Changes a run's record. */
export async function amend(
  service: BlobServiceClient,
  run: string,
  fields: Partial<RunRecord>,
): Promise<void> {
  const ledger = new Ledger(service, run);
  const record = { ...(await readRun(ledger))!, ...fields };
  await ledger.write("run.json", JSON.stringify(record));
  await indexRun(service, record, "again");
}
