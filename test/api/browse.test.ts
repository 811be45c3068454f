/** A backup's tree over HTTP: the names in its directories, and their contents. */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toToken } from "../../src/api/pages.ts";
import type { RunView, StoredPage, TreeEntry, TreePage } from "../../src/api/schema.ts";
import { LEDGER_CONTAINER } from "../../src/model/names.ts";
import { escapePath, parsePath } from "../../src/model/path.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { bytes, directory, link, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { forgePacks } from "../packs/forged-run.ts";
import { RecordsHost } from "./host.ts";

/** Of several pieces. */
const LARGE = bytes(5_000_000);

let azurite: TestStorage;
let proxy: StorageProxy;
let host: RecordsHost;
let folder: string;
let root: string;
let run: RunView;
let service: BlobServiceClient;
beforeAll(async () => {
  folder = await makeFolder("browse");
  root = await makeTree(path.join(folder, "root"), {
    ...manyFiles(250),
    "d004/a\tb/file": "5",
    "index.html": "<p>",
    "large.bin": LARGE,
    "none.txt": "",
    "bad.": "x",
    "empty/below": directory(),
    "sub/a\nb": "1",
    "sub/a\\new": "2",
    "sub/a\u202eb": "3",
    'sub/"Größe" 大(1).pdf': "4",
    "sub/to": link("../index.html"),
  });
  await writeFile(Buffer.from([...Buffer.from(`${root}/sub/caf`), 0xe9]), "3");
  await symlink(Buffer.from([0xff, 0x2f, 0x0a]), path.join(root, "sub/to bytes"));
  // Small parts, so that the names of a directory are in several records.
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  host = await RecordsHost.start({ BACKUP_LIST_FILES: "100" }, proxy.connectionString);
  service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  run = await host.backUp({ root });
});
afterAll(async () => {
  await host?.process.stop();
  await proxy?.stop();
  await azurite?.stop();
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
  it("measures a destination, and continues where a page ended", async () => {
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
    expect(page).toEqual({ run: run.id, path: "", mtime: expect.any(Number), mode: 0o755 });
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
      "large.bin",
      "none.txt",
      "sub",
    ]);
    expect(entries.at(-4)).toEqual({
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
      "a\\u{202e}b",
      "caf\\xe9",
    ]);
    expect(named.get("to")).toMatchObject({ kind: "link", size: 0, target: "../index.html" });
    expect(named.get("to")).not.toHaveProperty("targetEscaped");
    expect(named.get("to bytes")).toMatchObject({ target: "\\xff/\\n", targetEscaped: true });
    expect(await tree("sub")).not.toHaveProperty("escaped");
    const below = await tree("d004/a\\tb");
    expect(below).toMatchObject({ path: "d004/a\\tb", escaped: true, entries: [{ name: "file" }] });
    expect(below.entries[0]).not.toHaveProperty("escaped");
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
    const directories = ["d000", "d001", "d002", "d003", "d004", "d004/a\tb", "empty", "sub"];
    expect([...all].sort()).toEqual([...(await walk()), ...directories].map(escapePath).sort());
    expect(all.indexOf("sub/to")).toBeGreaterThan(all.indexOf("sub"));
    expect(await list("sub", 2)).toEqual((await tree("sub")).entries.map(({ name }) => name));
    expect(await list("empty", 9)).toEqual(["below"]);
    const { continuation = "" } = await host.get<TreePage>(`/backups/${run.id}/tree?path=d003&limit=1`);
    expect(
      await refused(`tree?path=sub&recursive=true&continuation=${toToken({ after: "sub" })}`),
    ).toMatchObject({ status: 400 });
    expect(await refused(`tree?path=sub&recursive=true&continuation=${continuation}`)).toMatchObject({
      status: 400,
    });
  });

  it.each([
    ["tree?path=../x", 400, /"path": .*"\.\."/],
    ["tree?path=/etc", 400, /"path": .*absolute/],
    ["tree?path=a%00", 400, /"path": .*NUL/],
    ["tree?path=a//b", 400, /"path": .*empty/],
    ["tree?path=\\u{d800}", 400, /"path": .*name/],
    ["tree?path=a&path=b", 400, /"path" .*once/],
    ["tree?continuation=abc", 400, /"continuation"/],
    ["tree?path=index.html", 400, /is a file\b.* GET .*content\?path=index\.html/],
    ["tree?path=sub/to", 400, /is a link/],
    ["tree?path=none", 404, /has no "none"/],
    ["tree?path=none/below", 404, /has no "none\/below"/],
    ["tree?path=index.html/x", 404, /has no/],
    ["tree?path=bad.", 404, /failed: .*"\."/],
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
    const detail = expect.stringContaining("is a verify") as string;
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
    await container.getBlockBlobClient(`${damaged.id}/run.json`).upload("{", 1);
    for (const query of ["tree", "content?path=f00002.txt"])
      expect(await refused(query, damaged.id)).toMatchObject({
        status: 502,
        detail: expect.stringContaining(`${damaged.id}/run.json`) as string,
      });
  });
});

describe("GET /backups/{runId}/content", () => {
  const get = (of: string, headers: Record<string, string> = {}, id = run.id) =>
    fetch(`${host.process.url}/backups/${id}/content?path=${encodeURIComponent(of)}`, { headers });
  const read = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
  const md5 = (content: string | Buffer) => createHash("md5").update(content).digest("base64");

  it("gives a file to be saved, of whatever size", async () => {
    const answer = await get("index.html");
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "content-disposition": `attachment; filename="index.html"; filename*=UTF-8''index.html`,
      "content-length": "3",
      "content-security-policy": "sandbox",
      "content-type": "text/html",
      etag: `"${md5("<p>")}"`,
      "x-content-type-options": "nosniff",
    });
    expect(await answer.text()).toBe("<p>");
    expect((await read(await get("large.bin"))).equals(LARGE)).toBe(true);
    const nothing = await get("none.txt");
    expect([nothing.status, nothing.headers.get("content-length"), await nothing.text()]).toEqual([
      200,
      "0",
      "",
    ]);
  });

  it("gives every file under the name that the tree has for it", async () => {
    for (const [name, content, filename] of [
      ["sub/a\\\\new", "2", `filename="a_new"; filename*=UTF-8''a_new`],
      ["sub/a\\u{202e}b", "3", `filename="a_b"; filename*=UTF-8''a_b`],
      [
        'sub/"Größe" 大(1).pdf',
        "4",
        `filename="_Gr__e_ _(1).pdf"; filename*=UTF-8''%22Gr%C3%B6%C3%9Fe%22%20%E5%A4%A7%281%29.pdf`,
      ],
    ] as const) {
      const answer = await get(name);
      expect([await answer.text(), answer.headers.get("content-disposition")]).toEqual([
        content,
        `attachment; ${filename}`,
      ]);
    }
  });

  it("refuses what is forged in packs, and gives the rest of that backup", async () => {
    const { run: id, sound, forged } = await forgePacks(service);
    for (const name of sound) expect(await (await get(name, {}, id)).text()).toBe(name);
    for (const [name, reason] of forged) {
      const answer = await get(name, {}, id);
      expect([410, 502]).toContain(answer.status);
      expect(await answer.json()).toMatchObject({ detail: expect.stringMatching(reason) as string });
    }
  });

  it("gives the target of a link as text", async () => {
    const answer = await get("sub/to");
    expect([answer.headers.get("content-type"), await answer.text()]).toEqual([
      "text/plain; charset=utf-8",
      "../index.html",
    ]);
    expect(await read(await get("sub/to bytes"))).toEqual(Buffer.from([0xff, 0x2f, 0x0a]));
  });

  it.each([
    [{ range: "bytes=10-19" }, 206, 10, 20],
    [{ range: "bytes=2097000-2098000" }, 206, 2_097_000, 2_098_001],
    [{ range: "bytes=4999990-" }, 206, 4_999_990, 5_000_000],
    [{ range: "bytes=-5" }, 206, 4_999_995, 5_000_000],
    [{ range: "bytes=0-" }, 206, 0, 5_000_000],
    [{ range: "bytes=5-99999999999999999999" }, 206, 5, 5_000_000],
    [{ range: "bytes=-99999999999999999999" }, 206, 0, 5_000_000],
    [{ range: "bytes=0-1,5-6" }, 200, 0, 5_000_000],
    [{ range: "bytes=9-1" }, 200, 0, 5_000_000],
    [{ range: "bytes=-" }, 200, 0, 5_000_000],
    [{ range: "lines=1-2" }, 200, 0, 5_000_000],
    [{ range: "bytes=1-2", "if-range": `"${md5(LARGE)}"` }, 206, 1, 3],
    [{ range: "bytes=1-2", "if-range": '"another"' }, 200, 0, 5_000_000],
    [{ range: "bytes=1-2", "if-range": "Mon, 23 Nov 2026 00:00:00 GMT" }, 200, 0, 5_000_000],
  ])("a part: %o", async (headers, status, from, to) => {
    const answer = await get("large.bin", headers as Record<string, string>);
    expect([answer.status, answer.headers.get("content-length")]).toEqual([status, String(to - from)]);
    const range = status === 206 ? `bytes ${from}-${to - 1}/5000000` : null;
    expect(answer.headers.get("content-range")).toBe(range);
    // All of it is read elsewhere.
    const content = status === 206 ? await read(answer) : await answer.body?.cancel();
    expect(content?.equals(LARGE.subarray(from, to))).not.toBe(false);
  });

  it.each([
    ["large.bin", "bytes=5000000-", "bytes */5000000"],
    ["large.bin", "bytes=-0", "bytes */5000000"],
    ["none.txt", "bytes=0-", "bytes */0"],
  ])("416 for a part that %s does not have: %s", async (of, range, all) => {
    const answer = await get(of, { range });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, all]);
  });

  it.each([`"${md5("<p>")}"`, `"x", W/"${md5("<p>")}"`, "*"])(
    "304 for a client that has %s",
    async (known) => {
      const before = proxy.requests.length;
      const answer = await get("index.html", { "if-none-match": known, range: "bytes=0-0" });
      expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([
        304,
        `"${md5("<p>")}"`,
        "",
      ]);
      // The record alone says so.
      expect(proxy.requests.slice(before).filter(({ container }) => container !== LEDGER_CONTAINER)).toEqual(
        [],
      );
    },
  );

  it.each([
    ["content", 400, /"path": /],
    ["content?path=", 400, /"" is a directory.* GET .*tree\?path=,/],
    ["content?path=sub", 400, /"sub" is a directory/],
    ["content?path=empty/below", 400, /is a directory/],
    ["content?path=../root/index.html", 400, /has a "\.\."/],
    ["content?path=bad.", 404, /"bad\." .*failed: .*"\."/],
    ["content?path=none", 404, /has no "none"/],
  ])("refuses %s", async (query, status, detail) => {
    expect(await refused(query)).toMatchObject({ status, detail: expect.stringMatching(detail) as string });
  });

  it("gives what that run stored, whatever newer ones did to the file", async () => {
    const site = await makeTree(path.join(folder, "site"), { "a.txt": "old", "b.txt": "b" });
    const [old, now] = [
      await host.backUp({ root: site, container: "history" }),
      (await writeFile(path.join(site, "a.txt"), "new"),
      await host.backUp({ root: site, container: "history" })),
    ];
    expect(await (await get("a.txt", {}, old.id)).text()).toBe("old");
    expect(await (await get("a.txt", {}, now.id)).text()).toBe("new");
    const blobs = service.getContainerClient("history");
    await blobs.getBlobClient("b.txt").delete();
    expect(await refused("content?path=b.txt", now.id)).toMatchObject({
      status: 410,
      detail: expect.stringMatching(/blob is missing/) as string,
    });
    await blobs.getBlobClient("a.txt").setAccessTier("Archive");
    expect(await refused("content?path=a.txt", now.id)).toMatchObject({
      status: 410,
      detail: expect.stringMatching(/archive tier/) as string,
    });
  });

  it("never gives the whole of a wrong file", async () => {
    const wrong = await host.backUp({ root, container: "wrong", include: ["*.bin", "*.html"] });
    const container = service.getContainerClient("wrong");
    const damage = async (name: string, content: Buffer): Promise<void> => {
      const blob = container.getBlockBlobClient(name);
      const { contentMD5, metadata } = await blob.getProperties();
      await blob.upload(content, content.length, { metadata });
      await blob.setHTTPHeaders({ blobContentMD5: contentMD5 });
    };
    await damage("index.html", Buffer.from("<q>"));
    const detail = expect.stringMatching(/corrupt: .*MD5/) as string;
    expect(await refused("content?path=index.html", wrong.id)).toMatchObject({ status: 502, detail });

    const damaged = Buffer.from(LARGE);
    damaged[4_999_999]! ^= 1;
    await damage("large.bin", damaged);
    const answer = await get("large.bin", {}, wrong.id);
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow("terminated");
    while (!host.process.logs().includes("event=content.broken")) await sleep(20);
    expect(host.process.logs()).toMatch(/event=content\.broken run=\w+ path=large\.bin reason=".*corrupt/);

    // Nobody vouches for content without a hash: it is read before any of it is given.
    await container.getBlockBlobClient("large.bin").upload(damaged, damaged.length);
    await container.getBlockBlobClient("large.bin").setHTTPHeaders({});
    expect(await refused("content?path=large.bin", wrong.id)).toMatchObject({ status: 502, detail });
  });

  it("reads no more of a content without a hash once the client is gone", async () => {
    const { id } = await host.backUp({ root, container: "unhashed", include: ["large.bin"] });
    await service.getContainerClient("unhashed").getBlockBlobClient("large.bin").setHTTPHeaders({});
    let release = (): void => undefined;
    const held = new Promise<void>((go) => (release = go));
    let reads = 0;
    proxy.before = async ({ container, method, comp }) => {
      if (container === "unhashed" && method === "GET" && comp === "") await (reads++, held);
    };
    const gone = new AbortController();
    const url = `${host.process.url}/backups/${id}/content?path=large.bin`;
    const answer = fetch(url, { signal: gone.signal }).catch(() => undefined);
    await expect.poll(() => reads, { timeout: 20_000 }).toBe(1);
    gone.abort();
    await answer;
    // Until the app has heard of it.
    await sleep(500);
    release();
    // All of it, to be checked. What would be given is not read.
    await expect.poll(() => reads, { timeout: 20_000 }).toBe(3);
    await sleep(300);
    expect(reads).toBe(3);
    proxy.before = () => undefined;
  });

  it("gives the same of a backup whose contents lie in packs", async () => {
    const packed = await host.backUp({ root, container: "packed", layout: "packs", exclude: ["d0*"] });
    const there = service.getContainerClient("packed");
    await there.getBlockBlobClient("packs/notes").upload("mine", 4);
    let total = -4;
    for await (const { properties } of there.listBlobsFlat()) total += properties.contentLength ?? 0;
    const stored = await host.get<StoredPage>("/stored?container=packed");
    expect(stored).toMatchObject({ old: { blobs: 0 }, others: { blobs: 1, bytes: 4 } });
    expect(stored.current.bytes).toBe(total);
    const whole = async (of: string) => await read(await get(of, {}, packed.id));
    expect((await whole("large.bin")).equals(LARGE)).toBe(true);
    const names = ["none.txt", "index.html", "bad.", "sub/a\\nb", "sub/caf\\xe9", "sub/to"];
    expect(await Promise.all(names.map(async (name) => (await whole(name)).toString()))).toEqual([
      "",
      "<p>",
      "x",
      "1",
      "3",
      "../index.html",
    ]);
    expect(await whole("sub/to bytes")).toEqual(Buffer.from([0xff, 0x2f, 0x0a]));
    for (const [from, to] of [
      [0, 1],
      [1_000_000, 4_500_000],
      [4_999_999, 5_000_000],
    ] as const) {
      const answer = await get("large.bin", { range: `bytes=${from}-${to - 1}` }, packed.id);
      expect([answer.status, answer.headers.get("content-length")]).toEqual([206, String(to - from)]);
      expect((await read(answer)).equals(LARGE.subarray(from, to))).toBe(true);
    }
    const pages = service.getContainerClient("packed").listBlobsFlat({ prefix: "packs/" }).byPage();
    for await (const { segment } of pages)
      for (const { name } of segment.blobItems) await service.getContainerClient("packed").deleteBlob(name);
    expect(await refused("content?path=index.html", packed.id)).toMatchObject({
      status: 410,
      detail: expect.stringMatching(/cannot be read: its pack \S+ is missing\. Another/) as string,
    });
  });

  it("continues where a blob is overwritten while it is read", async () => {
    const site = await makeTree(path.join(folder, "moving"), { "m.bin": LARGE });
    const moving = await host.backUp({ root: site, container: "moving" });
    const blob = service.getContainerClient("moving").getBlockBlobClient("m.bin");
    let parts = 0;
    proxy.before = async ({ container, method, comp }) => {
      if (container !== "moving" || method !== "GET" || comp !== "" || ++parts !== 2) return;
      await blob.createSnapshot();
      await blob.upload("other", 5);
    };
    expect((await read(await get("m.bin", {}, moving.id))).equals(LARGE)).toBe(true);
    expect(parts).toBeGreaterThan(3);
    proxy.before = () => undefined;
  });

  it("503 while storage refuses, before anything is given", async () => {
    proxy.before = ({ container, blob }) => (container === "backups" && blob !== "" ? FORBIDDEN : undefined);
    expect(await refused("content?path=index.html")).toMatchObject({ status: 503 });
    proxy.before = () => undefined;
  });

  it("503 while 32 are being sent", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((go) => (release = go));
    let reading = 0;
    proxy.before = async ({ container, blob }) => {
      if (container !== "backups" || blob === "") return;
      reading++;
      await held;
    };
    const all = Array.from({ length: 32 }, () => get("index.html"));
    await expect.poll(() => reading, { timeout: 20_000 }).toBe(32);
    const detail = expect.stringContaining("32 files already") as string;
    expect(await refused("content?path=index.html")).toMatchObject({ status: 503, detail });
    release();
    const texts = (await Promise.all(all)).map((answer) => answer.text());
    expect(new Set(await Promise.all(texts))).toEqual(new Set(["<p>"]));
    expect((await get("index.html")).status).toBe(200);
    proxy.before = () => undefined;
  });
});
