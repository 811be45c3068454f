/** A backup's tree over HTTP: the names in its directories, and their contents. */
import { rmSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toToken } from "../../src/api/continuation.ts";
import type { RunView, StoredPage, TreeEntry, TreePage } from "../../src/api/schema.ts";
import { LEDGER_CONTAINER } from "../../src/model/ledger-container.ts";
import { escapePath, parsePath } from "../../src/model/path.ts";
import { directory, link, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { RecordsHost } from "./host.ts";

let host: RecordsHost;
let folder: string;
let root: string;
let run: RunView;
let service: BlobServiceClient;
beforeAll(async () => {
  folder = await makeFolder("browse");
  root = await makeTree(path.join(folder, "root"), {
    ...manyFiles(250),
    "index.html": "<p>",
    "bad.": "x",
    "empty/below": directory(),
    "sub/a\nb": "1",
    "sub/a\\new": "2",
    "sub/to": link("../index.html"),
  });
  await writeFile(Buffer.from([...Buffer.from(`${root}/sub/caf`), 0xe9]), "3");
  await symlink(Buffer.from([0xff, 0x2f, 0x0a]), path.join(root, "sub/to bytes"));
  // Small parts, so that the names of a directory are in several records.
  host = await RecordsHost.start({ BACKUP_LIST_FILES: "100" });
  service = BlobServiceClient.fromConnectionString(host.process.connectionString);
  run = await host.backUp({ root });
});
afterAll(async () => {
  await host?.process.stop();
  rmSync(folder, { recursive: true, force: true });
});

const tree = (of: string, id = run.id) =>
  host.get<TreePage>(`/backups/${id}/tree?path=${encodeURIComponent(of)}`);

async function refused(query: string, id = run.id): Promise<unknown> {
  return (await host.fetch(`/backups/${id}/${query}`)).json();
}

/** A directory, and all below it, asked for by the names in the answers alone. */
async function walk(of = ""): Promise<string[]> {
  const { entries } = await tree(of);
  const paths = await Promise.all(
    entries.map(async ({ name, kind, outcome }) => {
      const below = of === "" ? name : `${of}/${name}`;
      return kind === "directory" && outcome === undefined ? await walk(below) : [parsePath(below)];
    }),
  );
  return paths.flat();
}

describe("GET /stored", () => {
  it("measures a destination, and goes on where a page ended", async () => {
    const measure = (query: string) => host.get<StoredPage>(`/stored?container=backups${query}`);
    const whole = await measure("");
    expect(whole).toMatchObject({ container: "backups", prefix: "", old: { blobs: 0, bytes: 0 } });
    expect(whole.current.blobs).toBe(run.counts!.copied + run.counts!.directories);
    const pages = service.getContainerClient("backups").listBlobsFlat().byPage({ maxPageSize: 100 });
    const { continuationToken: next = "" } = (await pages.next()).value as { continuationToken?: string };
    const token = (prefix: string) => `&continuation=${toToken({ container: "backups", prefix, next })}`;
    expect((await measure(token(""))).current.blobs).toBe(whole.current.blobs - 100);
    for (const wrong of [token("p"), "&continuation=abc", "&prefix=a//b"])
      expect((await host.fetch(`/stored?container=backups${wrong}`)).status).toBe(400);
  });
});

describe("GET /backups/{runId}/tree", () => {
  it("gives the names in a directory, with what is known of each", async () => {
    const { entries, ...page } = await tree("");
    expect(page).toEqual({ run: run.id, path: "" });
    expect(run.links.tree).toBe(`/backups/${run.id}/tree`);
    expect(entries.map(({ name }) => name)).toEqual([
      "bad.",
      "d000",
      "d001",
      "d002",
      "d003",
      "d004",
      "empty",
      "index.html",
      "sub",
    ]);
    expect(entries.at(-2)).toEqual({
      name: "index.html",
      kind: "file",
      size: 3,
      mtime: expect.any(Number),
      mode: expect.any(Number),
      md5: expect.stringMatching(/==$/),
      outcome: "copied",
    });
    expect(entries[0]).toMatchObject({ outcome: "failed", reason: expect.stringContaining("cannot hold") });
    expect(entries.at(-1)).toMatchObject({ kind: "directory", mtime: expect.any(Number) });
    expect(entries.at(-1)).not.toHaveProperty("outcome");
    expect((await tree("empty")).entries).toMatchObject([
      { name: "below", kind: "directory", outcome: "copied" },
    ]);
    expect((await tree("empty/below")).entries).toEqual([]);
  });

  it("escapes and marks names that cannot be shown, and takes what it gives", async () => {
    const { entries } = await tree("sub");
    const named = new Map(entries.map((entry): [string, TreeEntry] => [entry.name, entry]));
    expect([...named].filter(([, { escaped }]) => escaped).map(([name]) => name)).toEqual([
      "a\\nb",
      "a\\\\new",
      "caf\\xe9",
    ]);
    expect(named.get("to")).toMatchObject({ kind: "link", size: 0, target: "../index.html" });
    expect(named.get("to bytes")).toMatchObject({ target: "\\xff/\\n" });
    expect((await walk()).sort()).toEqual((await host.files(run.id)).files.map((file) => file.path).sort());
  });

  it("says what a path is that is no directory", async () => {
    expect(await refused("tree?path=sub/to")).toMatchObject({
      status: 400,
      entry: { name: "to", kind: "link", target: "../index.html", mtime: expect.any(Number) },
    });
  });

  it("in pages of any size, linked to each other", async () => {
    for (const limit of [7, 50]) {
      const names: string[] = [];
      let next: string | undefined = `/backups/${run.id}/tree?path=d003&limit=${limit}`;
      while (next !== undefined) {
        const answer = await host.fetch(next);
        const { entries } = answer.json() as TreePage;
        expect(entries.length).toBeLessThanOrEqual(limit);
        names.push(...entries.map(({ name }) => name));
        next = /^<(.*)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
      }
      expect(names).toEqual(Array.from({ length: 50 }, (_none, index) => `f00${150 + index}.txt`));
    }
  });

  it("gives all that is below a directory, in pages, by paths relative to it", async () => {
    const list = async (of: string, limit: number) => {
      const paths: string[] = [];
      let next: string | undefined = `/backups/${run.id}/tree?path=${of}&recursive=true&limit=${limit}`;
      while (next !== undefined) {
        const answer = await host.fetch(next);
        paths.push(...(answer.json() as TreePage).entries.map(({ name }) => name));
        next = /^<(.*)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
      }
      return paths;
    };
    const all = await list("", 60);
    const directories = ["d000", "d001", "d002", "d003", "d004", "empty", "sub"];
    expect([...all].sort()).toEqual([...(await walk()), ...directories].map(escapePath).sort());
    expect(all.indexOf("sub/to")).toBeGreaterThan(all.indexOf("sub"));
    expect(await list("sub", 2)).toEqual((await tree("sub")).entries.map(({ name }) => name));
    expect(await list("empty", 9)).toEqual(["below"]);
    const { continuation = "" } = await host.get<TreePage>(`/backups/${run.id}/tree?path=d003&limit=1`);
    expect(await refused(`tree?path=sub&recursive=true&continuation=${continuation}`)).toMatchObject({
      status: 400,
    });
  });

  it.each([
    ["tree?path=../x", 400, /"path": its name has a "\.\."/],
    ["tree?path=/etc", 400, /"path": its name is absolute/],
    ["tree?path=a%00", 400, /"path": its name has a NUL/],
    ["tree?path=a//b", 400, /"path": .*empty/],
    ["tree?path=\\u{d800}", 400, /"path": no file can have such a name/],
    ["tree?continuation=abc", 400, /"continuation"/],
    [
      "tree?path=index.html",
      400,
      /is a file, not a directory\. Its content: GET .*content\?path=index\.html/,
    ],
    ["tree?path=sub/to", 400, /is a link, not a directory/],
    ["tree?path=none", 404, /has no "none"/],
    ["tree?path=none/below", 404, /has no "none\/below"/],
    ["tree?path=index.html/x", 404, /has no/],
    ["tree?path=bad.", 404, /recorded as failed: .*cannot hold/],
  ])("refuses %s", async (query, status, detail) => {
    expect(await refused(query)).toMatchObject({ status, detail: expect.stringMatching(detail) });
  });

  it("refuses a continuation of another directory", async () => {
    const { continuation } = await host.get<TreePage>(`/backups/${run.id}/tree?path=d001&limit=1`);
    const detail = expect.stringContaining('"continuation"') as string;
    expect(await refused(`tree?path=d002&continuation=${continuation}`)).toMatchObject({
      status: 400,
      detail,
    });
  });

  it("refuses runs without a tree", async () => {
    const verify = await host.ended(await host.start({ run: run.id }, "verifyBackup"));
    const detail = expect.stringContaining(`is a verify, and only a backup has a tree. See`) as string;
    expect(await refused("tree", verify.id)).toMatchObject({ status: 400, detail });
    expect(await refused("tree", "none")).toMatchObject({ status: 404 });
  });

  it("names defects of the records beside what is left, and does not say that a name was never there", async () => {
    const damaged = await host.backUp({ root: path.join(root, "d000"), container: "damaged" });
    const container = service.getContainerClient(LEDGER_CONTAINER);
    for await (const { name } of container.listBlobsFlat({ prefix: `${damaged.id}/outcomes/0-0` })) {
      const blob = container.getBlockBlobClient(name);
      const whole = (await blob.downloadToBuffer()).toString();
      const text = whole.replace('"', "").replace(/"path":"f00001.txt"/, '"path":".."');
      // Without fences, as an older release writes it: then no name is out of its place.
      await blob.upload(text, Buffer.byteLength(text));
    }
    const page = await tree("", damaged.id);
    expect(page.entries.map(({ name }) => name)).not.toContain("..");
    expect(page.entries.length).toBeGreaterThan(40);
    expect(page.damaged).toEqual([
      { record: "outcomes/0-0000.jsonl", reason: "line 1 is torn" },
      { record: "outcomes/", reason: expect.stringMatching(/^it has "\.\.": /) as string },
    ]);
    expect(await refused("tree?path=f00000.txt", damaged.id)).toMatchObject({ status: 502 });
  });
});
