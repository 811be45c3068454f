/** What the app's user may not read. The tests may run as root, which may read anything: they step down to nobody. */
import { chmod, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { sum, verdict } from "../../src/model/outcome.ts";
import { asNobody } from "../harness/as-nobody.ts";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { handOutListing, newRun, requestFor, startDomain, type Domain } from "../harness/domain.ts";
import { link, makeFolder, makeTree } from "../harness/tree.ts";

let domain: Domain;
let folder: string;

beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("permissions");
  await chmod(folder, 0o755);
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("what may not be read", () => {
  it("a file and a directory: failed, each with the reason; the others are copied", async () => {
    const root = await makeTree(path.join(folder, "some"), {
      "open.txt": "open",
      "closed.txt": "closed",
      "closed/file.txt": "never seen",
      "listed-only/file.txt": "seen, but not reached",
      "listed-only/link": link("file.txt"),
      "z.txt": "z",
    });
    await chmod(path.join(root, "closed.txt"), 0);
    await chmod(path.join(root, "closed"), 0);
    await chmod(path.join(root, "listed-only"), 0o444);
    const run = newRun();
    const request = requestFor(root);
    const tally = await asNobody(async () => {
      const { service, settings, budget } = domain;
      const listing = await listFiles({ run, part: "0", request }, service, settings);
      const { batches } = handOutListing({ run, part: "0", request }, listing);
      const copies = batches.map((batch) => copyBatch(batch, service, settings, budget));
      return sum([listing.found, ...(await Promise.all(copies))]);
    });
    expect(tally.counts).toMatchObject({ copied: 2, failed: 4, bytes: 5 });
    const outcomes = outcomesByPath(await readLedger(domain.service, run));
    expect(outcomes.get("closed.txt")).toMatchObject({
      outcome: "failed",
      reason: expect.stringMatching(/^(?!.*directory).*EACCES/) as string,
    });
    expect(outcomes.get("closed")).toMatchObject({
      outcome: "failed",
      reason: expect.stringMatching(/directory .*EACCES/) as string,
    });
    expect(outcomes.get("listed-only/file.txt")).toMatchObject({ outcome: "failed" });
    expect(outcomes.get("listed-only/link")).toMatchObject({ outcome: "failed" });
    const message = verdict(tally, run);
    expect(message).toMatch(/^4 of 6 files /);
    expect(message).toMatch(/ closed\.txt: .*\(EACCES\)/);
    const blobs = await readBlobs(domain.service.getContainerClient(request.container));
    expect([...blobs.keys()]).toEqual(["open.txt", "z.txt"]);
  });

  it("the root itself: a problem that says so, and what is needed", async () => {
    const root = await makeTree(path.join(folder, "whole"), { a: "a" });
    await chmod(root, 0);
    const { problem } = await asNobody(() =>
      listFiles({ run: newRun(), part: "0", request: requestFor(root) }, domain.service, domain.settings),
    );
    expect(problem).toContain(root);
    expect(problem).toMatch(/permission/);
    expect(problem).toMatch(/EACCES/);
  });

  it("a directory above the root: a problem that says so", async () => {
    const root = await makeTree(path.join(folder, "above/root"), { a: "a" });
    await chmod(path.dirname(root), 0);
    const { problem } = await asNobody(() =>
      listFiles({ run: newRun(), part: "0", request: requestFor(root) }, domain.service, domain.settings),
    );
    expect(problem).toMatch(/permission.*above\/root .*EACCES/);
  });
});
