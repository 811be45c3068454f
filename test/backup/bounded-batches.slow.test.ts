/** No batch is more than an activity does in its time, whatever the tree is: the rest goes to other orchestrations. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { listFiles, type ListInput } from "../../src/backup/list-files.ts";
import { backupRequest } from "../../src/backup/request.ts";
import type { Entry } from "../../src/model/entry.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { handOut } from "../../src/orchestration/fan-out.ts";
import { planRestore } from "../../src/restore/plan-restore.ts";
import type { PlanInput, PlannedItem } from "../../src/manifest/plan-record.ts";
import { restoreRequest, type RestoreRequest } from "../../src/restore/request.ts";
import { newRun, handOutListing } from "../harness/domain.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { forgeRun } from "../restore/forge.ts";
import { temporary, write } from "../restore/tree.ts";

const { azurite, drive } = startDrive();
const MIB = 1024 * 1024;
const [FILES, SIZE] = [70, 100 * MIB];
const names = Array.from({ length: FILES }, (_none, index) => `f${String(index).padStart(3, "0")}`);

/** All that the parts of a listing hand out. */
async function listAll(root: string, { service, settings }: Drive = drive) {
  const run = newRun();
  const batches: Entry[][] = [];
  const large: Entry[] = [];
  let depth = 0;
  const inputs: ListInput[] = [{ run, part: "0", request: backupRequest.parse({ root }) }];
  for (const input of inputs) {
    const listing = await listFiles(input, service, settings);
    expect(listing.problem).toBeUndefined();
    depth = Math.max(depth, input.part.split(".").length);
    const read = (lines: (typeof listing.batches)[number]) =>
      new Ledger(service, run).readLines<Entry>(lines);
    for (const lines of listing.batches) batches.push(await read(lines));
    for (const lines of listing.large)
      large.push(...(await new Ledger(service, run).readLines<Entry>(lines)));
    inputs.push(...handOutListing(input, listing).parts);
  }
  return { batches, large, depth };
}

const pathsOf = (items: readonly { path: string }[]) => items.map((item) => item.path).sort();

test("a backup of many files that are nearly large: no batch of more than 64 MiB and one file, each file in one", async () => {
  const root = temporary();
  await write(root, { small: "" });
  for (const name of names) {
    const file = await open(path.join(root, name), "w");
    await file.truncate(SIZE);
    await file.close();
  }
  const { batches, depth } = await listAll(root);
  expect(pathsOf(batches.flat())).toEqual([...names, "small"]);
  for (const batch of batches) expect(sizeOf(batch)).toBeLessThanOrEqual(SIZE + 64 * MIB);
  expect(depth).toBe(2);
});

test("a backup of very many large files is divided among parts, not handed on from one to the next", async () => {
  const root = temporary();
  const files = Array.from({ length: 400 }, (_none, index) => `f${index}`);
  await write(root, Object.fromEntries(files.map((name) => [name, "large"])));
  const { large, depth } = await listAll(root, new Drive(azurite.service, { largeFile: 4 }));
  expect(pathsOf(large)).toEqual(files.sort());
  expect(depth).toBeLessThanOrEqual(3);
});

test("a restore of a run that recorded more in one batch: the same, and all of it comes back", async () => {
  const content = Buffer.alloc(SIZE);
  const md5 = createHash("md5").update(content).digest();
  const line = { kind: "file", outcome: "copied", size: SIZE, mtime: 1e15, mode: 0o644 };
  const lines = names.map((name) => JSON.stringify({ path: name, ...line, md5: md5.toString("base64") }));
  const source = await forgeRun(
    azurite.service,
    lines.map((text) => `${text}\n`),
  );
  const container = azurite.service.getContainerClient("forged");
  const first = container.getBlockBlobClient(`${source}/${names[0]}`);
  await first.uploadData(content, { maxSingleShotSize: 8 * MIB, blobHTTPHeaders: { blobContentMD5: md5 } });
  for (const name of names.slice(1))
    await container.getBlobClient(`${source}/${name}`).syncCopyFromURL(first.url);

  const request = restoreRequest.parse({ run: source, to: temporary() });
  const run = newRun();
  const inputs: PlanInput<RestoreRequest>[] = [{ run, part: "0", request }];
  const planned: PlannedItem[][] = [];
  for (const input of inputs) {
    const plan = await planRestore(input, azurite.service, drive.settings);
    for (const batch of plan.batches)
      planned.push(await new Ledger(azurite.service, run).readLines<PlannedItem>(batch));
    inputs.push(...handOut(input, plan, {}).parts);
  }
  expect(inputs).toHaveLength(2);
  expect(pathsOf(planned.flat())).toEqual(names);
  for (const batch of planned) expect(sizeOf(batch)).toBeLessThanOrEqual(SIZE + 64 * MIB);

  const restored = await drive.restore({ ...request, dryRun: true });
  expect(restored.tally).toMatchObject({ counts: { copied: FILES, failed: 0 }, failures: [] });
  expect(pathsOf([...(await drive.outcomes(restored.run)).values()])).toEqual(names);
});

function sizeOf(batch: readonly { size: number }[]): number {
  return batch.reduce((sum, { size }) => sum + size, 0);
}
