/** A batch of a restore that is delivered again, when an earlier delivery wrote files and did not come to record them. */
import { rm, unlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newRun, startDomain, type Domain } from "../harness/domain.ts";
import { directory, link, makeFolder, makeTree } from "../harness/tree.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { Drive } from "../harness/drive.ts";

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
