/** scripts/unpack.mjs: takes out what a destination of layout `packs` holds, without the app. */
import { createHash } from "node:crypto";
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { bytes, directory, link, makeTree } from "../harness/tree.ts";
import { startUnpacking, unpack } from "./unpacking.ts";

const MIB = 1024 * 1024;
const { azurite } = startDrive();
// Few files a part, so that directories are left from one part to another.
const drive = new Drive(azurite.service, { listFiles: 5 });
const { folder, save } = startUnpacking();

async function download(container: string, prefix: string): Promise<string> {
  const blobs = await readBlobs(azurite.service.getContainerClient(container), prefix);
  return await save(
    `${container}-${prefix}`,
    [...blobs].map(([name, { content }]) => [name, content] as const),
  );
}

const NOT_UTF8 = Buffer.from("caf\xe9\xff", "latin1");

async function makeSite(): Promise<string> {
  const root = path.join(folder(), "site");
  await makeTree(root, {
    "index.html": "<h1>hello</h1>",
    "copy.html": "<h1>hello</h1>",
    "empty.txt": "",
    "css/site.css": "h1 { color: teal }\n".repeat(100_000),
    "data/random.bin": bytes(3 * MIB),
    "data/large.bin": bytes(9 * MIB, "large"),
    "data/deep/er/file.txt": "deep",
    "links/inside": link("../index.html"),
    "links/gone": link("nowhere"),
    "nothing/at/all": directory(),
    "new\nline \\ and a dot.": "any name",
    "becomes/a/file.txt": "a file in a directory",
  });
  const raw = Buffer.concat([Buffer.from(`${root}/`), NOT_UTF8]);
  await mkdir(raw);
  await writeFile(Buffer.concat([raw, Buffer.from("/"), NOT_UTF8]), "not UTF-8");
  await symlink(NOT_UTF8, Buffer.concat([raw, Buffer.from("/link")]));
  for (const [name, mode] of [
    ["index.html", 0o600],
    ["css/site.css", 0o4755],
    ["data", 0o711],
    ["nothing/at/all", 0o500],
  ] as const)
    await chmod(path.join(root, name), mode);
  for (const [name, time] of [
    ["copy.html", "-1000.25"],
    ["links/gone", "1234567890.123456"],
    ["data/deep", "987654321.5"],
  ] as const)
    await lutimes(path.join(root, name), time, time);
  return root;
}

/** What a second run finds changed. */
async function changeSite(root: string): Promise<void> {
  await writeFile(path.join(root, "index.html"), "<h1>hello again</h1>");
  await lutimes(path.join(root, "css/site.css"), 1e9, 1e9);
  await rm(path.join(root, "data/random.bin"));
  await rm(path.join(root, "links/gone"));
  await symlink("elsewhere", path.join(root, "links/gone"));
  await rm(path.join(root, "becomes"), { recursive: true });
  await writeFile(path.join(root, "becomes"), "a file");
  await makeTree(root, { "more/new.txt": "new" });
}

type Looked = Map<string, { mode: number; mtime: number; content: string }>;

/** Everything in a directory, by its name in latin1. */
async function look(root: string, below = Buffer.alloc(0)): Promise<Looked> {
  const found: Looked = new Map();
  const inRoot = (name: Buffer) => Buffer.concat([Buffer.from(`${root}/`), name]);
  for (const name of await readdir(inRoot(below), { encoding: "buffer" })) {
    const relative = Buffer.concat([below, name]);
    const stats = await lstat(inRoot(relative));
    const { mode, mtimeMs } = stats;
    const content = stats.isSymbolicLink()
      ? (await readlink(inRoot(relative), { encoding: "buffer" })).toString("latin1")
      : stats.isFile()
        ? createHash("sha256")
            .update(await readFile(inRoot(relative)))
            .digest("hex")
        : "";
    found.set(relative.toString("latin1"), { mode, mtime: Math.round(mtimeMs * 1000), content });
    if (!stats.isDirectory()) continue;
    for (const [child, it] of await look(root, Buffer.concat([relative, Buffer.from("/")])))
      found.set(child, it);
  }
  return found;
}

it("takes out each run exactly, the newest version of every path, and names what is damaged", async () => {
  const root = await makeSite();
  const request = { root, container: "backups", prefix: "site", layout: "packs", mode: "incremental" };
  const before = await look(root);
  const first = await drive.backup(request);
  await changeSite(root);
  const after = await look(root);
  const second = await drive.backup(request);
  expect([first.tally.failures, second.tally.failures]).toEqual([[], []]);
  const dir = await download("backups", "site");
  const to = (name: string) => path.join(folder(), name);

  for (const [{ run }, tree] of [
    [first, before],
    [second, after],
  ] as const) {
    const record = await download("backup-runs", run);
    expect(unpack(dir, "--run", record, "--to", to(run))).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await look(to(run))).toEqual(tree);
  }

  // The last version of what is gone; but a file is now where a directory was.
  const left = expect.stringMatching(/^becomes\/a\/file\.txt .*left out.*\n$/) as string;
  expect(unpack(dir, "--to", to("newest"))).toEqual({ status: 0, stdout: "", stderr: left });
  const contents = (tree: Looked) => new Map([...tree].map(([name, { content }]) => [name, content]));
  const newest = new Map([...contents(before), ...contents(after)]);
  for (const name of ["becomes/a", "becomes/a/file.txt"]) newest.delete(name);
  expect(contents(await look(to("newest")))).toEqual(newest);

  const listed = unpack(dir, "data", "--list").stdout.trimEnd().split("\n");
  expect(listed.map((line) => line.split(" ").at(-1))).toEqual([
    "data/deep/er/file.txt",
    "data/large.bin",
    "data/random.bin",
  ]);
  const strange = unpack(dir, "--list")
    .stdout.split("\n")
    .filter((line) => line.includes("\\"));
  expect(strange.map((line) => line.replace(/.*Z /, ""))).toEqual([
    String.raw`caf\xe9\xff/caf\xe9\xff`,
    String.raw`caf\xe9\xff/link`,
    String.raw`new\u{a}line \\ and a dot.`,
  ]);

  const outcomes = outcomesByPath(await readLedger(azurite.service, second.run)) as Map<
    string,
    { packed?: { pack: string; offset: number } }
  >;
  const { pack, offset } = outcomes.get("css/site.css")!.packed!;
  const blob = await readFile(path.join(dir, "packs", pack));
  await writeFile(path.join(dir, "packs", pack), blob.fill(blob[offset + 30]! ^ 1, offset + 30, offset + 31));
  const damaged = unpack(
    dir,
    "--run",
    path.join(folder(), `backup-runs-${second.run}`),
    "--to",
    to("damaged"),
  );
  expect(damaged).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^css\/site\.css: packs\/.*\n$/) as string,
  });
  const rest = contents(after);
  rest.delete("css/site.css");
  expect(contents(await look(to("damaged")))).toEqual(rest);
});
