/** What the app does with no more than it needs, and what it says when it has less. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  ContainerClient,
  type ContainerSASPermissions,
  ContainerSASPermissions as Permissions,
} from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimDestination } from "../../src/ledger/destination-claim.ts";
import { readSettings } from "../../src/settings.ts";
import { connectAll } from "../../src/storage/connect.ts";
import { classify, describe as toUserError } from "../../src/storage/errors.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { newRun } from "../harness/domain.ts";
import { expectNoSecrets, secretsOf } from "../harness/secrets.ts";
import { makeFolder, makeTree, type TreeSpec } from "../harness/tree.ts";

let azurite: TestStorage;
let folder: string;
let root: string;
const tree: TreeSpec = {
  "a.txt": "a",
  "b/c.txt": "c",
  "b/link": { link: "c.txt" },
  empty: { directory: true },
};

beforeAll(async () => {
  azurite = takeAccount();
  folder = await makeFolder("least-privilege");
  root = await makeTree(path.join(folder, "root"), tree);
});
afterAll(async () => {
  await azurite.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A connection string with a SAS for one container. @param letters its permissions: r, a, c, w, d, l */
async function scoped(container: string, letters: string): Promise<string> {
  const client = azurite.service.getContainerClient(container);
  const permissions: ContainerSASPermissions = Permissions.parse(letters);
  const url = await client.generateSasUrl({ permissions, expiresOn: new Date(Date.now() + 3_600_000) });
  return `BlobEndpoint=${azurite.service.url};SharedAccessSignature=${new URL(url).search.slice(1)}`;
}

/** The app with a SAS for each of its two containers, which exist unless told otherwise. */
async function app(container: string, letters: { backups: string; ledger: string }, make = true) {
  if (make) {
    for (const name of [container, "backup-runs"])
      await azurite.service.getContainerClient(name).createIfNotExists();
  }
  const strings = [await scoped(container, letters.backups), await scoped("backup-runs", letters.ledger)];
  const settings = readSettings({ BackupStorage: strings[0], BackupLedgerStorage: strings[1] });
  const service = connectAll(settings);
  const secrets = strings.flatMap(secretsOf);
  return { drive: new Drive(service), service, secrets };
}

/** What the least set of permissions of docs/security.md is. */
const LEAST = {
  backup: { backups: "rwl", ledger: "rwl" },
  restore: { backups: "rl", ledger: "rwl" },
  verify: { backups: "rl", ledger: "rwl" },
  prune: { backups: "rwdl", ledger: "rwdl" },
};

describe("a SAS for each of the two containers, and no more than docs/security.md says", () => {
  it("backs up, overwrites with a snapshot kept, restores and verifies", async () => {
    const { drive, service } = await app("least", LEAST.backup);
    const claim = await claimDestination(
      service,
      { container: "least", prefix: "", root, run: newRun(), allowOtherRoot: true },
      "files",
      async () => false,
    );
    expect(claim).toEqual({ claimed: true, layout: "files" });
    const first = await drive.backup({ root, container: "least" });
    expect(first.tally.counts).toMatchObject({ copied: 3, failed: 0 });
    await writeFile(path.join(root, "a.txt"), "changed");
    const second = await drive.backup({ root, container: "least", mode: "incremental" });
    expect(second.tally.counts).toMatchObject({ copied: 1, failed: 0 });

    const reader = await app("least", LEAST.restore);
    // Azurite signs the snapshot's time into a container's SAS, which the service does not: only what is current is read.
    const { run } = second;
    const restored = await reader.drive.restore({ run, to: path.join(folder, `to-${run}`) });
    expect(restored.tally.stopped).toBeUndefined();
    expect(restored.tally.counts).toMatchObject({ copied: 3, failed: 0 });
    const verifier = await app("least", LEAST.verify);
    const verified = await verifier.drive.verify({ run, readData: true });
    expect(verified.tally).toMatchObject({ failures: [], counts: { failed: 0, unchanged: 3 } });
  });
});

/** A container with a run to keep and one to forget, which alone needs a blob. */
async function twoRuns(container: string) {
  const { drive } = await app(container, LEAST.backup);
  const site = await makeTree(path.join(folder, container), { stays: "stays", goes: "goes" });
  const first = await drive.backup({ root: site, container });
  await rm(path.join(site, "goes"));
  const second = await drive.backup({ root: site, container, mode: "incremental" });
  return { first: first.run, second: second.run, request: { container, keepLast: 1 } };
}

async function namesIn(container: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  const client = azurite.service.getContainerClient(container);
  // Azurite signs a snapshot's time into a SAS (see above): none is made here, so none has to go.
  for await (const { name } of client.listBlobsFlat({ prefix, includeSnapshots: true })) names.push(name);
  return names;
}

it("a prune forgets a run, deletes what only that needed, and its record", async () => {
  const { first, second, request } = await twoRuns("pruned");
  const pruner = await app("pruned", LEAST.prune);
  const pruned = await pruner.drive.prune(request);
  expect(pruned.tally).toMatchObject({ failures: [], counts: { deleted: 2, failed: 0 } });
  expect(pruned.tally.stopped).toBeUndefined();
  expect(pruned.forgotten).toEqual([first]);
  expect(await namesIn("pruned", "")).toEqual(["stays"]);
  expect(await namesIn("backup-runs", `${first}/`)).toEqual([]);
  expect(await namesIn("backup-runs", `${second}/`)).not.toEqual([]);
});

describe("less than that", () => {
  it.each([
    ["delete", { backups: "rwl", ledger: "rwdl" }],
    ["delete in the ledger", { backups: "rwdl", ledger: "rwl" }],
  ])("without %s a prune stops and says so; the next one that may continues", async (what, letters) => {
    const container = `kept-${what.replaceAll(" ", "-")}`;
    const { first, request } = await twoRuns(container);
    const limited = await app(container, letters);
    const said = await limited.drive.prune(request).then(
      ({ tally }) => tally.stopped ?? JSON.stringify(tally),
      (error: unknown) => toUserError(error),
    );
    expect(said).toMatch(/refused.* delete .*"delete" \(d\)/);
    expectNoSecrets("the error", said, limited.secrets);
    expect(await namesIn("backup-runs", `${first}/`)).toContain(`${first}/run.json`);
    const pruner = await app(container, LEAST.prune);
    await pruner.drive.prune(request);
    expect(await namesIn(container, "")).toEqual(["stays"]);
    expect(await namesIn("backup-runs", `${first}/`)).toEqual([]);
  });

  it.each([
    ["list", { backups: "rw", ledger: "rwl" }, /refused.* list .*"less-\w+".*"list" \(l\)/],
    ["write", { backups: "rl", ledger: "rwl" }, /refused.* write .*"write" \(w\)/],
    ["write in the ledger", { backups: "rwl", ledger: "rl" }, /refused.* write .*"write" \(w\)/],
    ["read in the ledger", { backups: "rwl", ledger: "wl" }, /refused.* read .*"read" \(r\)/],
  ])(
    "without %s a backup stops, says which permission is missing, and prints no key",
    async (_what, letters, says) => {
      const container = `less-${newRun().slice(0, 12)}`;
      await azurite.service.getContainerClient(container).createIfNotExists();
      const { drive: limited, secrets } = await app(container, letters);
      const said = await limited.backup({ root, container }).then(
        ({ tally }) => tally.stopped ?? JSON.stringify(tally),
        (error: unknown) => toUserError(error),
      );
      expect(said).toMatch(says);
      expectNoSecrets("the error", said, secrets);
    },
  );

  it("without read or list a restore says so", async () => {
    const { drive } = await app("restored", LEAST.backup);
    const { run } = await drive.backup({ root, container: "restored" });
    for (const [backups, says] of [
      ["r", /refused to list.*"list" \(l\)/],
      ["l", /refused to read.*"read" \(r\)/],
    ] as const) {
      const limited = await app("restored", { backups, ledger: "rwl" });
      const to = path.join(folder, `limited-${backups}`);
      const said = await limited.drive.restore({ run, to }).then(
        ({ tally }) => tally.stopped ?? tally.failures.join(),
        (error: unknown) => toUserError(error),
      );
      expect(said).toMatch(says);
    }
  });

  it("a container that is missing and may not be made is told apart, and named", async () => {
    const { drive } = await app("not-there", LEAST.backup, false);
    await azurite.service.getContainerClient("backup-runs").createIfNotExists();
    const { tally } = await drive.backup({ root, container: "not-there" });
    expect(tally.stopped).toContain("az storage container create --name not-there");
  });

  it("an expired SAS is told apart from one that lacks a permission", async () => {
    const client = azurite.service.getContainerClient("backup-runs");
    const url = await client.generateSasUrl({
      permissions: Permissions.parse("rwl"),
      startsOn: new Date(Date.now() - 7_200_000),
      expiresOn: new Date(Date.now() - 3_600_000),
    });
    const error: unknown = await new ContainerClient(url)
      .getBlobClient("x")
      .getProperties()
      .catch((thrown: unknown) => thrown);
    expect(classify(error)).toBe("refused");
    expect(toUserError(error)).toMatch(/SAS .*expired/);
  });
});
