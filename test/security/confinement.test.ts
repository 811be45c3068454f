/** Nothing outside the root is read, and nothing outside the target is written, while directories turn into links. */
import { rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { copyLargeFile } from "../../src/backup/large-file.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { Ledger, linesAt, toLines } from "../../src/ledger/ledger.ts";
import { deleteExtra } from "../../src/restore/delete-extra.ts";
import { planRestore } from "../../src/restore/plan-restore.ts";
import { restoreRequest } from "../../src/restore/request.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf } from "../restore/tree.ts";
import { readBlobs, readLedger } from "../harness/blobs.ts";
import { handOutListing, listPart, newRun, requestFor } from "../harness/domain.ts";
import { directory, link, makeFolder, makeTree, type TreeSpec } from "../harness/tree.ts";
import { startSwapper } from "./swapper.ts";

/** Backups or restores that are raced; more by RACE_ROUNDS. */
const ROUNDS = Number(process.env["RACE_ROUNDS"] ?? 3);
const OUTSIDE = "content from outside";

let azurite: TestStorage;
let folder: string;

beforeAll(async () => {
  azurite = takeAccount();
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
        met += outcomes.filter(({ outcome }) => outcome !== "copied").length;
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
      // Until something was removed: else nothing was tried.
      for (let round = 0; round < ROUNDS || (removed === 0 && round < 20 * ROUNDS); round++) {
        const request = restoreRequest.parse({ run, to, overwrite: "always", delete: true });
        const { run: restoring } = await drive.restore(request);
        // A restore leaves what is extra where something failed; here it is to be tried all the same.
        const whole = { run: restoring, part: "0", request };
        const { own } = await planRestore(whole, drive.service, drive.settings);
        const slice = { run: restoring, slice: 0, request, ...own };
        removed += (await deleteExtra(slice, drive.service, drive.settings)).deleted;
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
  const whole = { run, part: "0", request };
  const { batches } = await listPart(whole, { service, settings });
  await rename(path.join(root, "d"), path.join(root, "moved"));
  await symlink(path.join(outside, "d"), path.join(root, "d"));
  for (const batch of batches) await copyBatch(batch, service, settings, budget);
  const { outcomes } = await readLedger(service, run);
  expect(new Map(outcomes.map(({ path: at, outcome }) => [at, outcome]))).toEqual(
    new Map([...Object.keys(names).map((at) => [at, "skipped"] as const), ["keep", "copied"]]),
  );
  expect([...(await readBlobs(service.getContainerClient(request.container))).keys()]).toEqual(["keep"]);
});

describe("lists that lead elsewhere", () => {
  /** A tree, and what lists of somebody else's would hand out of it. */
  async function forged() {
    const tree = await makeTree(await makeFolder("tree", folder), {
      "root/a": "a",
      secret: OUTSIDE,
      link: link(OUTSIDE),
      empty: directory(),
    });
    const root = path.join(tree, "root");
    const drive = new Drive(azurite.service, { roots: [root] });
    const whole = { run: newRun(), part: "0", request: requestFor(root) };
    const listing = await listFiles(whole, drive.service, drive.settings);
    const ledger = new Ledger(drive.service, whole.run);
    const lines = async (values: object[]) => {
      const text = toLines(values);
      const list = `lists/forged-${newRun()}.jsonl`;
      await ledger.write(list, text);
      return linesAt(list, 0, text);
    };
    return { tree, drive, whole, listing, lines };
  }

  it("names that lead out of the root are skipped, whatever kind they are said to be", async () => {
    const { drive, whole, listing, lines } = await forged();
    const kinds = ["file", "link", "directory"].entries();
    const names = ["../secret", "../link", "../empty"];
    const entries = [...kinds].map(([at, kind]) => ({
      path: names[at],
      kind,
      size: 9,
      mtime: 1,
      mode: 0o644,
    }));
    const [batch] = handOutListing(whole, { ...listing, batches: [await lines(entries)] }).batches;
    await copyBatch(batch!, drive.service, drive.settings, drive.budget);
    const { outcomes } = await readLedger(drive.service, whole.run);
    expect(outcomes.map(({ path: at, outcome }) => [at, outcome])).toEqual(
      names.sort().map((at) => [at, "skipped"]),
    );
    const { container } = whole.request;
    expect((await readBlobs(drive.service.getContainerClient(container))).size).toBe(0);
  });

  it("directories and files left to walk that lie outside are not looked at", async () => {
    const { drive, whole, listing, lines } = await forged();
    const rest = [await lines([{ dir: ".." }, { file: "../secret" }, { dir: "../empty" }])];
    const [part] = handOutListing(whole, { ...listing, rest }).parts;
    expect((await listFiles(part!, drive.service, drive.settings)).batches).toEqual([]);
    const { outcomes } = await readLedger(drive.service, whole.run);
    expect(outcomes.map(({ path: at }) => at).sort()).toEqual(["..", "../empty", "../secret"]);
    expect(outcomes.every(({ outcome }) => outcome === "skipped" || outcome === "vanished")).toBe(true);
  });

  it("another root is refused by BACKUP_ROOTS in each activity", async () => {
    const { tree, drive, whole, listing, lines } = await forged();
    const { batches, lanes, parts } = handOutListing(whole, {
      ...listing,
      own: { ...listing.own, realRoot: tree },
      rest: [await lines([{ dir: "" }])],
      large: [await lines([{ path: "secret", kind: "file", size: 9, mtime: 1, mode: 0o644 }])],
    });
    const { service, settings, budget } = drive;
    const refused = /BACKUP_ROOTS allows/;
    expect((await copyBatch(batches[0]!, service, settings, budget)).stopped).toMatch(refused);
    expect((await listFiles(parts[0]!, service, settings)).problem).toMatch(refused);
    const large = await copyLargeFile(lanes[0]!, service, settings, budget);
    expect(large).toMatchObject({ settled: { failures: [expect.stringMatching(refused)] } });
  });
});
