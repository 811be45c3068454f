/** Trees of every shape, each backed up and compared blob by blob. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import {
  bytes,
  bytesOf,
  chain,
  directory,
  link,
  makeTree,
  manyFiles,
  readTree,
  type TreeSpec,
} from "../harness/tree.ts";
import {
  backUp,
  expectHeld,
  inFiles,
  namesHeld,
  newContainer,
  newRoot,
  service,
  type Status,
} from "./client.ts";

/** Backs up a tree that must succeed whole; compares all of it. */
async function expectWholeBackup(spec: TreeSpec): Promise<Status> {
  const root = await makeTree(await newRoot(), spec);
  const tree = await readTree(root);
  const container = newContainer();
  const status = await backUp({ root, container: container.containerName });
  expect(status).toMatchObject({ runtimeStatus: "Completed", output: bytesOf(tree) });
  await expectHeld(status.instanceId, tree, container);
  return status;
}

describe("sizes and shapes", () => {
  it("an empty directory: Completed, output 0, no blobs", async () => {
    const status = await expectWholeBackup({});
    expect(status.output).toBe(0);
  });

  it("one empty file", async () => {
    await expectWholeBackup({ "empty.txt": "" });
  });

  it("60 levels deep, a file at each", async () => {
    await expectWholeBackup(chain(60, "d"));
  });

  it("1,000 files", async () => {
    const status = await expectWholeBackup(manyFiles(1000));
    expect(status.customStatus?.counts).toMatchObject({ copied: 1000, failed: 0 });
  });

  it("files around the size at which blocks begin", async () => {
    const block = 8 * 1024 * 1024;
    await expectWholeBackup({
      less: bytes(block - 1, "less"),
      even: bytes(block, "even"),
      more: bytes(block + 1, "more"),
    });
  });

  it("an empty directory in the tree is a blob marked as a folder", async () => {
    await expectWholeBackup({ "a/b/empty": directory(), file: "x" });
  });
});

describe("names", () => {
  it("spaces, reserved characters of URLs, leading dots, quotes", async () => {
    await expectWholeBackup({
      "with space/a b.txt": "1",
      " leading and trailing ": "2",
      "#fragment": "3",
      "what?x=1&y=2": "4",
      "100%/50%25": "5",
      "a+b": "6",
      'it\'s "quoted" <xml> & more;': "7",
      ".hidden/.gitignore": "8",
      "...three dots first": "9",
      "[brackets]{braces}*star|pipe": "10",
      "semi;colon:at@sign,comma=equals$dollar!bang~tilde`tick^caret": "11",
    });
  });

  it("Unicode: NFC and NFD twins are two blobs; other scripts, emoji", async () => {
    const nfc = "caf\u00e9.txt";
    const nfd = "cafe\u0301.txt";
    await expectWholeBackup({
      [nfc]: "composed",
      [nfd]: "decomposed",
      "日本語/ファイル": "3",
      "Ω≈ç√∫": "4",
      "👩‍👩‍👧‍👦 family": "5",
      עברית: "6",
    });
  });

  it.runIf(inFiles)('a backslash in a name becomes "/", as Blob Storage has it', async () => {
    const root = await makeTree(await newRoot(), { "dir\\file.txt": "one", plain: "two" });
    const container = newContainer();
    const status = await backUp({ root, container: container.containerName });
    expect(status).toMatchObject({ runtimeStatus: "Completed", output: 6 });
    const blobs = await readBlobs(container);
    expect([...blobs].map(([name, { content }]) => [name.replaceAll("\\", "/"), content.toString()])).toEqual(
      expect.arrayContaining([
        ["dir/file.txt", "one"],
        ["plain", "two"],
      ]),
    );
    expect(blobs.size).toBe(2);
  });

  it.runIf(inFiles)(
    "of two files that would have the same blob one is copied and one failed, with the reason",
    async () => {
      const root = await makeTree(await newRoot(), { "a/b": "slash", "a\\b": "backslash", other: "x" });
      const container = newContainer();
      const status = await backUp({ root, container: container.containerName });
      expect(status.runtimeStatus).toBe("Failed");
      expect(status.output).toContain("1 of 3 files failed");
      expect(status.output).toMatch(/a\\b: .*another file/);
      const blobs = await readBlobs(container);
      expect(blobs.get("a/b")?.content.toString()).toBe("slash");
      const outcomes = outcomesByPath(await readLedger(service, status.instanceId));
      expect(outcomes.get("a/b")?.outcome).toBe("copied");
      expect(outcomes.get("a\\b")?.outcome).toBe("failed");
    },
  );

  it.runIf(!inFiles)("names that no blob can have", async () => {
    await expectWholeBackup({
      "a/b": "slash",
      "a\\b": "backslash",
      "ends with dot.": "1",
      "tab\there": "2",
      "new\nline": "3",
      [`${Array(5).fill("x".repeat(250)).join("/")}`]: "4",
    });
  });

  it.runIf(inFiles)(
    "names that Blob Storage cannot hold fail by themselves, with the reason; all else is copied",
    async () => {
      const root = await makeTree(await newRoot(), {
        good: "good",
        "ends with dot.": "x",
        "tab\there": "x",
        "new\nline": "x",
        [`${Array(5).fill("x".repeat(250)).join("/")}`]: "x",
      });
      await writeFile(Buffer.concat([Buffer.from(`${root}/latin1-`), Buffer.from([0xe9])]), "x");
      const container = newContainer();
      const status = await backUp({ root, container: container.containerName });
      expect(status.runtimeStatus).toBe("Failed");
      expect(status.output).toMatch(/\b5 of 6 files /);
      expect([...(await readBlobs(container)).keys()]).toEqual(["good"]);

      const outcomes = [...outcomesByPath(await readLedger(service, status.instanceId)).values()];
      const reasonOf = (start: string) => outcomes.find((it) => it.path.startsWith(start))?.reason ?? "";
      expect(reasonOf("ends with dot.")).toMatch(/ends in "\."/);
      expect(reasonOf("tab")).toMatch(/control characters/);
      expect(reasonOf("new")).toMatch(/control characters/);
      expect(reasonOf("xxx")).toMatch(/\b1254\b.*\b1024\b/);
      expect(reasonOf("latin1-")).toMatch(/not valid UTF-8/);
      // The message names each of the first five, and where the rest are.
      expect(status.output).toContain("ends with dot.: ");
      expect(status.output).toContain(`${status.instanceId}/outcomes`);
    },
  );
});

describe("what is not a regular file", () => {
  it("links to a file, a directory, outside, nowhere and in a loop are kept as links, never followed", async () => {
    const outside = await makeTree(await newRoot(), { secret: "not to be backed up" });
    await expectWholeBackup({
      "real/file.txt": "content",
      "to-file": link("real/file.txt"),
      "to-directory": link("real"),
      "to-outside-file": link(path.join(outside, "secret")),
      "to-outside-directory": link(outside),
      "to-nowhere": link("does/not/exist"),
      loop: link("loop"),
      ping: link("pong"),
      pong: link("ping"),
      "real/up": link(".."),
    });
  });

  it("a root that is a link is followed", async () => {
    const real = await makeTree(await newRoot(), { file: "content" });
    const root = path.join(await newRoot(), "link");
    await makeTree(path.dirname(root), { link: link(real) });
    const container = newContainer();
    const status = await backUp({ root, container: container.containerName });
    expect(status).toMatchObject({ runtimeStatus: "Completed", output: 7 });
    await expectHeld(status.instanceId, await readTree(real), container);
  });

  it("a FIFO and a socket are skipped, each with what it is; the run completes", async () => {
    const root = await makeTree(await newRoot(), { file: "content" });
    await mkdir(path.join(root, "run"));
    execFileSync("mkfifo", [path.join(root, "run/pipe")]);
    const socket = createServer().listen(path.join(root, "run/sock"));
    await once(socket, "listening");
    try {
      const container = newContainer();
      const status = await backUp({ root, container: container.containerName });
      expect(status).toMatchObject({ runtimeStatus: "Completed", output: 7 });
      expect(status.customStatus?.counts).toMatchObject({ copied: 1, skipped: 2, failed: 0 });
      expect(await namesHeld(status.instanceId, container)).toEqual(["file"]);
      const outcomes = outcomesByPath(await readLedger(service, status.instanceId));
      expect(outcomes.get("run/pipe")).toMatchObject({ outcome: "skipped", reason: "a named pipe (FIFO)" });
      expect(outcomes.get("run/sock")).toMatchObject({ outcome: "skipped", reason: "a socket" });
    } finally {
      socket.close();
    }
  });
});
