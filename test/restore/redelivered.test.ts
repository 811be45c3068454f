/** Activities of a restore that are delivered again: after a delivery that was not recorded, or beside another. */
import { rmSync } from "node:fs";
import { rm, unlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SliceRef } from "../../src/restore/extra.ts";
import { newRun, startDomain, type Domain } from "../harness/domain.ts";
import { directory, link, makeFolder, makeTree } from "../harness/tree.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf } from "./tree.ts";

let domain: Domain;
let folder: string;

beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("redelivered");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

it("counts what that wrote as restored, and only what was there before as unchanged", async () => {
  const root = await makeTree(path.join(folder, "root"), {
    "a/file": "restored",
    "a/link": link("file"),
    "a/there": "there before",
    empty: directory(),
  });
  const drive = new Drive(domain.service);
  const { run } = await drive.backup({ root, container: "redelivered" });
  const to = path.join(folder, "to");
  await drive.restore({ run, to });
  await unlink(path.join(to, "a/file"));
  await unlink(path.join(to, "a/link"));

  const restore = newRun();
  // Files are written, and storage takes no outcome.
  domain.proxy.before = ({ method, blob }) =>
    method === "PUT" && blob.startsWith(`${restore}/outcomes/`) ? FORBIDDEN : undefined;
  expect((await drive.restore({ run, to }, restore)).tally.stopped).toContain("HTTP 403");
  domain.proxy.before = () => undefined;
  const { tally } = await drive.restore({ run, to }, restore);
  expect(tally.counts).toMatchObject({ copied: 2, bytes: "restored".length, unchanged: 1, failed: 0 });
});

it("has no quarrel with another delivery that removes a directory first", async () => {
  const root = await makeTree(path.join(folder, "kept"), { file: "kept" });
  const drive = new Drive(domain.service);
  const { run } = await drive.backup({ root, container: "removed-first" });
  const to = await makeTree(path.join(folder, "removed"), { "extra/below/file": "extra", other: "extra" });
  drive.before = (activity, input) => {
    // Before anything is restored it removes only what is in the way.
    if (activity !== "deleteExtra" || (input as SliceRef).inTheWay) return;
    // What is in the target was listed when the run's record is read.
    domain.proxy.before = ({ method, blob }) => {
      if (method !== "GET" || !blob.startsWith(`${run}/outcomes/`)) return undefined;
      rmSync(path.join(to, "extra"), { recursive: true });
      domain.proxy.before = () => undefined;
      return undefined;
    };
  };
  const { tally, deleted } = await drive.restore({ run, to, delete: true });
  expect(tally).toMatchObject({ counts: { copied: 1, failed: 0 }, failures: [] });
  expect(deleted).toBe(2);
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
});
