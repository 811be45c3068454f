/** What a request can ask for: what of the tree, where to, how much of it again. */
import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { makeTree, readTree } from "../harness/tree.ts";
import { backUp, expectHeld, inFiles, namesHeld, newContainer, newRoot, service } from "./client.ts";

describe("include and exclude", () => {
  const tree = {
    "index.html": "1",
    "app/index.html": "22",
    "app/main.js": "333",
    "app/node_modules/x/main.js": "4444",
    "logs/today.log": "55555",
    ".env": "666666",
  };
  const table: { include?: string[]; exclude?: string[]; expected: string[] }[] = [
    { include: ["*.html"], expected: ["app/index.html", "index.html"] },
    { include: ["/*.html"], expected: ["index.html"] },
    { include: ["app/"], exclude: ["node_modules/"], expected: ["app/index.html", "app/main.js"] },
    {
      exclude: ["*.log", ".env", "app/**/main.js"],
      expected: ["app/index.html", "index.html"],
    },
  ];
  it.each(table)("include $include, exclude $exclude", async ({ expected, ...patterns }) => {
    const root = await makeTree(await newRoot(), tree);
    const container = newContainer();
    const status = await backUp({ root, container: container.containerName, ...patterns });
    expect(status.runtimeStatus).toBe("Completed");
    const sizes = new Map(Object.entries(tree).map(([name, content]) => [name, content.length]));
    // Directories in which nothing is left are kept as empty.
    const left = (await namesHeld(status.instanceId, container)).filter((name) => sizes.has(name));
    expect(left).toEqual(expected);
    expect(status.output).toBe(left.reduce((sum, name) => sum + sizes.get(name)!, 0));
  });

  it("an include that leaves nothing fails the run, by name", async () => {
    const root = await makeTree(await newRoot(), tree);
    const container = newContainer();
    const include = ["nothing-matches"];
    const status = await backUp({ root, container: container.containerName, include });
    expect(status.runtimeStatus).toBe("Failed");
    expect(status.output).toContain("nothing-matches");
  });
});

describe("prefix", () => {
  it("puts the blobs below it, and leaves what is beside it alone", async () => {
    const root = await makeTree(await newRoot(), { "a/b.txt": "new", c: "d" });
    const container = newContainer();
    await container.create();
    const beside = container.getBlockBlobClient("site/www2/a/b.txt");
    await beside.upload("beside", 6);
    const status = await backUp({ root, container: container.containerName, prefix: "/site/www/" });
    expect(status.runtimeStatus).toBe("Completed");
    await expectHeld(status.instanceId, await readTree(root), container, "site/www");
    expect((await beside.downloadToBuffer()).toString()).toBe("beside");
    const names = [...(await readBlobs(container)).keys()].filter((name) => !name.startsWith("site/www/"));
    expect(names).toEqual(["site/www2/a/b.txt"]);
  });
});

describe("a second run", () => {
  it("incremental: copies only what is new or changed, and the output is those bytes", async () => {
    const root = await makeTree(await newRoot(), { same: "same", changed: "old", touched: "time" });
    const container = newContainer();
    const request = { root, container: container.containerName, mode: "incremental" };
    const first = await backUp(request);
    expect(first).toMatchObject({ runtimeStatus: "Completed", output: 11 });

    await writeFile(path.join(root, "changed"), "newer");
    await utimes(path.join(root, "touched"), 1, 1);
    await makeTree(root, { "dir/added": "added" });
    const second = await backUp(request);
    // A file whose time alone has changed is stored once in packs.
    expect(second).toMatchObject({ runtimeStatus: "Completed", output: inFiles ? 14 : 10 });
    expect(second.customStatus?.counts).toMatchObject(
      inFiles
        ? { copied: 3, unchanged: 1, bytes: 14, unchangedBytes: 4 }
        : { copied: 2, unchanged: 2, bytes: 10, unchangedBytes: 8 },
    );
    const outcomes = outcomesByPath(await readLedger(service, second.instanceId));
    expect([...outcomes.values()].map((it) => `${it.path}: ${it.outcome}`).sort()).toEqual([
      "changed: copied",
      "dir/added: copied",
      "same: unchanged",
      `touched: ${inFiles ? "copied" : "unchanged"}`,
    ]);
    if (!inFiles) return await expectHeld(second.instanceId, await readTree(root), container);
    const blobs = await readBlobs(container);
    const runs = [...blobs].map(([name, { content, item }]) => [
      name,
      content.toString(),
      item.metadata?.["run"],
    ]);
    expect(runs).toEqual([
      ["changed", "newer", second.instanceId],
      ["dir/added", "added", second.instanceId],
      ["same", "same", first.instanceId],
      ["touched", "time", second.instanceId],
    ]);
  });

  it("incremental with checksum: the same content is not sent again, whatever its time", async () => {
    const root = await makeTree(await newRoot(), { a: "content", b: "12345" });
    const container = newContainer();
    const request = { root, container: container.containerName, mode: "incremental", checksum: true };
    await backUp(request);
    await utimes(path.join(root, "a"), 1, 1);
    await writeFile(path.join(root, "b"), "54321");
    const second = await backUp(request);
    expect(second).toMatchObject({ runtimeStatus: "Completed", output: 5 });
    expect(second.customStatus?.counts).toMatchObject({ copied: 1, unchanged: 1 });
  });

  it.runIf(inFiles)(
    "full: copies all of it again, keeps the old content as a snapshot, and deletes nothing",
    async () => {
      const root = await makeTree(await newRoot(), { a: "first", gone: "stays in the backup" });
      const container = newContainer();
      const request = { root, container: container.containerName };
      await backUp(request);
      await writeFile(path.join(root, "a"), "second");
      await rm(path.join(root, "gone"));
      const second = await backUp(request);
      expect(second).toMatchObject({ runtimeStatus: "Completed", output: 6 });
      const contents: string[] = [];
      for await (const item of container.listBlobsFlat({ includeSnapshots: true })) {
        const blob = container.getBlobClient(item.name);
        const content = await (item.snapshot ? blob.withSnapshot(item.snapshot) : blob).downloadToBuffer();
        contents.push(`${item.name}${item.snapshot ? " (snapshot)" : ""}: ${content.toString()}`);
      }
      expect(contents.sort()).toEqual(["a (snapshot): first", "a: second", "gone: stays in the backup"]);
    },
  );
});

describe("roots that cannot be backed up end the run Failed, with a message that says why", () => {
  it("a directory that does not exist", async () => {
    const root = path.join(await newRoot(), "missing");
    const status = await backUp({ root, container: newContainer().containerName });
    expect(status.runtimeStatus).toBe("Failed");
    expect(status.output).toContain(`The directory ${root} does not exist.`);
  });

  it("a file", async () => {
    const root = path.join(await makeTree(await newRoot(), { file: "x" }), "file");
    const status = await backUp({ root, container: newContainer().containerName });
    expect(status.runtimeStatus).toBe("Failed");
    expect(status.output).toContain(`${root} is a file`);
  });

  it("a path below a file", async () => {
    const root = path.join(await makeTree(await newRoot(), { file: "x" }), "file", "below");
    const status = await backUp({ root, container: newContainer().containerName });
    expect(status.runtimeStatus).toBe("Failed");
    expect(status.output).toMatch(/not a directory|does not exist/);
  });

  it("leave no claim on the destination: it can be used at once, by the next run", async () => {
    const root = path.join(await newRoot(), "late");
    const request = { root, container: newContainer().containerName };
    expect(await backUp(request)).toMatchObject({ runtimeStatus: "Failed" });
    await mkdir(root);
    expect(await backUp(request)).toMatchObject({ runtimeStatus: "Completed", output: 0 });
  });
});
