/** Nothing outside the root is read, and nothing outside the target is written, while directories turn into links. */
import { rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { beginAttempt } from "../../src/backup/large-file/begin-and-commit.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { Ledger, toLines } from "../../src/ledger/ledger.ts";
import type { Listing } from "../../src/ledger/listing.ts";
import { deleteExtra } from "../../src/restore/delete-extra.ts";
import { startAzurite } from "../restore/azurite.ts";
import { Drive } from "../restore/drive.ts";
import { snapshotOf } from "../restore/tree.ts";
import { readBlobs, readLedger } from "../harness/blobs.ts";
import { newRun, requestFor } from "../harness/domain.ts";
import { directory, link, makeFolder, makeTree, type TreeSpec } from "../harness/tree.ts";
import { startSwapper } from "./swapper.ts";

/** Backups or restores that are raced; more by RACE_ROUNDS. */
const ROUNDS = Number(process.env["RACE_ROUNDS"] ?? 3);
const OUTSIDE = "content from outside";

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let folder: string;

beforeAll(async () => {
  azurite = await startAzurite();
  folder = await makeFolder("confinement");
});
afterAll(async () => {
  await azurite.stop();
  await rm(folder, { recursive: true, force: true });
});

const swapped = Array.from({ length: 2 }, (_none, index) => `d${index}`);

/** Directories that have the same names inside and outside, and some names that are outside only. */
function treeOf(content: string, more: TreeSpec): TreeSpec {
  const spec: TreeSpec = {};
  for (const name of swapped) {
    for (let file = 0; file < 3; file++) {
      spec[`${name}/file${file}`] = `${content} ${file}`;
      spec[`${name}/link${file}`] = link(content);
      spec[`${name}/sub/below${file}`] = content;
      spec[`${name}/empty${file}`] = directory();
    }
    for (const [key, node] of Object.entries(more)) spec[`${name}/${key}`] = node;
  }
  return spec;
}

describe.runIf(process.platform === "linux")("directories that are swapped for links meanwhile", () => {
  it("nothing from outside lands in a blob or in the ledger of a backup", async () => {
    const root = await makeTree(path.join(folder, "root"), treeOf("content from inside", {}));
    const outside = await makeTree(
      path.join(folder, "outside"),
      treeOf(OUTSIDE, { "outside-only": OUTSIDE, "outside-only-directory": directory() }),
    );
    const drive = new Drive(azurite.service);
    const swapper = await startSwapper(
      swapped.map((name) => [path.join(root, name), path.join(outside, name)]),
    );
    let met = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const container = `race-${round}`;
        const { run } = await drive.backup({ root, container });
        const blobs = await readBlobs(azurite.service.getContainerClient(container));
        for (const [name, { content }] of blobs) {
          expect(content.toString(), name).not.toContain(OUTSIDE);
          expect(name).not.toContain("outside-only");
        }
        const { outcomes } = await readLedger(azurite.service, run);
        expect(outcomes.filter(({ path: name }) => name.includes("outside-only"))).toEqual([]);
        met += outcomes.filter(({ outcome }) => outcome === "skipped" || outcome === "vanished").length;
      }
    } finally {
      expect(await swapper.stop()).toBeGreaterThan(ROUNDS);
    }
    // The swapping was in the way: else nothing was tried.
    expect(met).toBeGreaterThan(0);
  });

  it("a restore writes, changes and deletes nothing outside", async () => {
    const root = await makeTree(path.join(folder, "from"), treeOf("content from inside", {}));
    const { run } = await new Drive(azurite.service).backup({ root, container: "restored" });
    const to = await makeTree(
      path.join(folder, "to"),
      Object.fromEntries(swapped.map((name) => [`${name}/extra`, "extra"])),
    );
    const outside = await makeTree(
      path.join(folder, "precious"),
      Object.fromEntries(
        swapped.flatMap((name) => [
          [`${name}/file0`, OUTSIDE],
          [`${name}/extra`, OUTSIDE],
          [`${name}/sub/precious`, OUTSIDE],
        ]),
      ),
    );
    const before = await snapshotOf(outside);
    let removed = 0;
    const drive = new Drive(azurite.service, { restoreRoots: [to] });
    const swapper = await startSwapper(
      swapped.map((name) => [path.join(to, name), path.join(outside, name), "extra"]),
    );
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const { run: restoring } = await drive.restore({ run, to, overwrite: "always", delete: true });
        // A restore leaves what is extra where something failed; here it is to be tried all the same.
        removed += (await deleteExtra({ run: restoring, slice: 0 }, drive.service, drive.settings)).deleted;
        expect(await snapshotOf(outside)).toEqual(before);
      }
    } finally {
      expect(await swapper.stop()).toBeGreaterThan(ROUNDS);
    }
    expect(removed).toBeGreaterThan(0);
  });
});

it("a directory that has become a link since it was listed: its files, links and directories are not copied", async () => {
  const names = { "d/file": "a", "d/link": link("b"), "d/empty": directory() };
  const root = await makeTree(await makeFolder("listed", folder), { ...names, keep: "keep" });
  const outside = await makeTree(await makeFolder("elsewhere", folder), {
    "d/file": OUTSIDE,
    "d/link": link(OUTSIDE),
    "d/empty": directory(),
  });
  const { service, settings, budget } = new Drive(azurite.service);
  const run = newRun();
  const request = requestFor(root);
  const { batches } = await listFiles({ run, part: "0", request }, service, settings);
  await rename(path.join(root, "d"), path.join(root, "moved"));
  await symlink(path.join(outside, "d"), path.join(root, "d"));
  for (const batch of batches.keys()) await copyBatch({ run, part: "0", batch }, service, settings, budget);
  const { outcomes } = await readLedger(service, run);
  expect(new Map(outcomes.map(({ path: at, outcome }) => [at, outcome]))).toEqual(
    new Map([...Object.keys(names).map((at) => [at, "skipped"] as const), ["keep", "copied"]]),
  );
  expect([...(await readBlobs(service.getContainerClient(request.container))).keys()]).toEqual(["keep"]);
});

describe("a ledger that somebody else wrote into", () => {
  /** Lists a tree, lets `forge` change the listing, and gives what is there to copy it. */
  async function forged(
    forge: (listing: Listing, ledger: Ledger, tree: string) => Promise<Partial<Listing>>,
  ) {
    const tree = await makeTree(await makeFolder("tree", folder), {
      "root/a": "a",
      secret: OUTSIDE,
      link: link(OUTSIDE),
      empty: directory(),
    });
    const root = path.join(tree, "root");
    const drive = new Drive(azurite.service, { roots: [root] });
    const run = newRun();
    const request = requestFor(root);
    await listFiles({ run, part: "0", request }, drive.service, drive.settings);
    const ledger = new Ledger(drive.service, run);
    const listing = JSON.parse((await ledger.read("lists/0.json")) ?? "") as Listing;
    const changed = { ...listing, ...(await forge(listing, ledger, tree)) };
    await ledger.write("lists/0.json", JSON.stringify(changed));
    return { run, drive, ledger, request };
  }

  /** Adds a blob of lines to a run's ledger. */
  async function lines(ledger: Ledger, values: object[]) {
    const text = toLines(values);
    const list = `lists/forged-${newRun()}.jsonl`;
    await ledger.write(list, text);
    return { list, offset: 0, length: Buffer.byteLength(text) };
  }

  it("names that lead out of the root are skipped, whatever kind they are said to be", async () => {
    const kinds = ["file", "link", "directory"].entries();
    const names = ["../secret", "../link", "../empty"];
    const entries = [...kinds].map(([at, kind]) => ({
      path: names[at],
      kind,
      size: 9,
      mtime: 1,
      mode: 0o644,
    }));
    const { run, drive, request } = await forged(async ({ batches }, ledger) => ({
      batches: [{ ...batches[0]!, ...(await lines(ledger, entries)) }],
    }));
    await copyBatch({ run, part: "0", batch: 0 }, drive.service, drive.settings, drive.budget);
    const { outcomes } = await readLedger(drive.service, run);
    expect(outcomes.map(({ path: at, outcome }) => [at, outcome])).toEqual(
      names.map((at) => [at, "skipped"]),
    );
    expect((await readBlobs(drive.service.getContainerClient(request.container))).size).toBe(0);
  });

  it("directories and files left to walk that lie outside are not looked at", async () => {
    const { run, drive } = await forged(async (_listing, ledger) => ({
      rest: [await lines(ledger, [{ dir: ".." }, { file: "../secret" }, { dir: "../empty" }])],
    }));
    const listing = await listFiles({ run, part: "0.0" }, drive.service, drive.settings);
    expect(listing.batches).toEqual([]);
    const { outcomes } = await readLedger(drive.service, run);
    expect(outcomes.map(({ path: at }) => at).sort()).toEqual(["..", "../empty", "../secret"]);
    expect(outcomes.every(({ outcome }) => outcome === "skipped" || outcome === "vanished")).toBe(true);
  });

  it("another root is refused by BACKUP_ROOTS in each activity", async () => {
    const { run, drive } = await forged(async (listing, ledger, tree) => ({
      realRoot: tree,
      rest: [await lines(ledger, [{ dir: "" }])],
      large: [await lines(ledger, [{ path: "secret", kind: "file", size: 9, mtime: 1, mode: 0o644 }])],
    }));
    const { service, settings, budget } = drive;
    const refused = /BACKUP_ROOTS allows/;
    expect((await copyBatch({ run, part: "0", batch: 0 }, service, settings, budget)).stopped).toMatch(
      refused,
    );
    expect((await listFiles({ run, part: "0.0" }, service, settings)).problem).toMatch(refused);
    const large = await beginAttempt({ run, part: "0", large: 0, attempt: 0 }, service, settings);
    expect("settled" in large && large.settled.failures.join()).toMatch(refused);
  });
});
