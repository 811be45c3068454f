/** What is served at /openapi.json describes what the routes really answer. */
import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { FORBIDDEN } from "../harness/wire-faults.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { RecordsHost, type Answer } from "./host.ts";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; responses: Record<string, Reply> };
}
interface Operation {
  operationId: string;
  responses: Record<string, Reply & { $ref?: string }>;
  parameters?: { name: string }[];
}
interface Reply {
  /** Absent for an answer without a body. */
  content?: Record<string, { schema?: object }>;
}

let azurite: TestStorage;
let proxy: StorageProxy;
let host: RecordsHost;
let folder: string;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  folder = await makeFolder("openapi");
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  const roots = { BACKUP_ROOTS: folder, RESTORE_ROOTS: folder };
  host = await RecordsHost.start(roots, proxy.connectionString);
  document = await host.get<Document>("/openapi.json");
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: { schemas: document.components.schemas } });
});
afterAll(async () => {
  await host?.process.stop();
  await proxy?.stop();
  await azurite?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Answers that were held against the document, as "operation status". */
const held = new Set<string>();

function hold(route: string, method: string, answer: Answer): void {
  const operation = document.paths[route]?.[method];
  const described = operation?.responses[answer.status];
  expect(described, `${method} ${route} ${answer.status}`).toBeDefined();
  const reply = described?.$ref
    ? document.components.responses[described.$ref.split("/").at(-1) ?? ""]
    : described;
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  const { content = {} } = reply ?? {};
  const any = "*/*" in content ? "*/*" : type;
  const schema = content[any]?.schema ?? {};
  expect(Object.keys(content)).toEqual(expect.arrayContaining(type === "" ? [] : [any]));
  const values = type.endsWith("json") && !type.endsWith("ndjson") ? [answer.json()] : [answer.text];
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as object);
  for (const value of values) expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  held.add(`${operation?.operationId} ${answer.status}`);
}

const post = (url: string, body?: unknown) =>
  host.fetch(url, {
    method: "POST",
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });

const BACKUP = "/orchestrators/backupSiteContent";
const RESTORE = "/orchestrators/restoreSiteContent";
const VERIFY = "/orchestrators/verifyBackup";
const PRUNE = "/orchestrators/pruneBackups";
const FILES = "/backups/{runId}/files";
const TREE = "/backups/{runId}/tree";
const CONTENT = "/backups/{runId}/content";
const DELETED = "/backups/{runId}/deleted";
const CANCEL = "/backups/{runId}/cancel";

/** Asks, holds the answer against the document, and gives it. */
async function holdGet(route: string, url = route, init: RequestInit = {}): Promise<Answer> {
  const answer = await host.fetch(url, init);
  hold(route, "get", answer);
  return answer;
}

async function holdPost(route: string, body?: unknown, url = route): Promise<Answer> {
  const answer = await post(url, body);
  hold(route, "post", answer);
  return answer;
}

const idOf = (answer: Answer) => (answer.json() as { id: string }).id;

/** The requests that the document describes, each answered well. @returns a run that has ended */
async function holdGood(root: string): Promise<string> {
  const id = idOf(await holdPost(BACKUP, { root }));
  await holdGet("/backups/{runId}", `/backups/${id}`);
  await host.ended(id);
  await holdGet("/backups/{runId}", `/backups/${id}`);
  await holdGet("/backups");
  await holdGet(FILES, `/backups/${id}/files?limit=2`);
  await holdGet(TREE, `/backups/${id}/tree?limit=1`);
  const content = `/backups/${id}/content?path=a`;
  const etag = (await holdGet(CONTENT, content)).headers.get("etag") ?? "";
  await holdGet(CONTENT, content, { headers: { range: "bytes=0-0" } });
  await holdGet(CONTENT, content, { headers: { "if-none-match": etag } });
  await holdGet(FILES, `/backups/${id}/files`, { headers: { accept: "application/x-ndjson" } });
  await holdPost(CANCEL, undefined, `/backups/${await host.start({ root, container: "other" })}/cancel`);
  const restore = await host.ended(
    idOf(await holdPost(RESTORE, { run: id, to: path.join(folder, "back"), delete: true })),
  );
  await holdGet(DELETED, `/backups/${restore.id}/deleted`);
  await host.ended(idOf(await holdPost(VERIFY, { run: id })));
  const prune = await host.ended(idOf(await holdPost(PRUNE, { keepLast: 1 })));
  await holdGet("/backups/{runId}", `/backups/${prune.id}`);
  await holdGet(FILES, `/backups/${prune.id}/files`);
  await holdGet("/stored", "/stored?container=backups");
  await holdGet("/openapi.json");
  const page = await holdGet("/dashboard");
  const [, script = ""] = /src="(.*?)"/.exec(page.text) ?? [];
  await holdGet("/dashboard/{version}/{file}", `/${script}`);
  return id;
}

/** Refusals that are the caller's doing. */
async function holdRefused(id: string): Promise<void> {
  await holdPost(BACKUP, { root: 1 });
  await holdPost(BACKUP, { root: "/" });
  await holdPost(BACKUP, { root: folder });
  await holdPost(RESTORE, { run: id });
  await holdPost(RESTORE, { run: id, to: "/somewhere" });
  await holdPost(RESTORE, { run: "none", to: folder });
  await holdPost(VERIFY, {});
  await holdPost(VERIFY, { run: "none" });
  await holdPost(PRUNE, {});
  await holdGet("/backups", "/backups?limit=x");
  await holdGet("/backups/{runId}", "/backups/none");
  await holdGet(FILES, `/backups/${id}/files?limit=x`);
  await holdGet(FILES, "/backups/none/files");
  await holdGet(TREE, `/backups/${id}/tree?path=a`);
  await holdGet(TREE, "/backups/none/tree");
  await holdGet("/stored");
  await holdGet(CONTENT, `/backups/${id}/content?path=b`);
  await holdGet(CONTENT, `/backups/${id}/content?path=none`);
  await holdGet(CONTENT, `/backups/${id}/content?path=a`, { headers: { range: "bytes=9-" } });
  await holdGet(DELETED, `/backups/${id}/deleted?outcome=failed`);
  await holdGet(DELETED, "/backups/none/deleted");
  await holdPost(CANCEL, undefined, `/backups/${id}/cancel`);
  await holdPost(CANCEL, undefined, "/backups/none/cancel");
  await holdPost(CANCEL, "x".repeat(1024 * 1024), "/backups/none/cancel");
  await holdGet("/dashboard/{version}/{file}", "/dashboard/0/none.js");
  for (const route of [BACKUP, RESTORE, VERIFY, PRUNE]) {
    await holdPost(route, { root: "x".repeat(1024 * 1024) });
    hold(route, "post", await host.fetch(route, { method: "POST", body: "text" }));
  }
}

/** Refusals while a run is at work, held up in its first write. */
async function holdWhileAtWork(root: string): Promise<void> {
  let release = () => {};
  const held = new Promise<void>((go) => (release = go));
  proxy.before = ({ container, method }) => (container === "busy" && method === "PUT" ? held : undefined);
  const id = await host.start({ root, container: "busy" });
  while ((await host.runs("?container=busy")).runs.length === 0) await sleep(50);
  await holdPost(RESTORE, { run: id, to: path.join(folder, "back") });
  await holdPost(VERIFY, { run: id });
  await holdPost(PRUNE, { container: "busy", keepLast: 1 });
  release();
  await host.ended(id);
}

/** Answers where a record is damaged, and where storage refuses. */
async function holdWithoutStorage(root: string, id: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  const ledgers = service.getContainerClient("backup-runs");
  const asks = async () => {
    await holdPost(BACKUP, { root });
    await holdPost(PRUNE, { keepLast: 1 });
    await holdGet("/backups/{runId}", `/backups/${id}`);
    await holdGet(FILES, `/backups/${id}/files`);
    await holdGet(TREE, `/backups/${id}/tree`);
    await holdGet(CONTENT, `/backups/${id}/content?path=a`);
    await holdGet(DELETED, `/backups/${id}/deleted`);
    await holdPost(CANCEL, undefined, `/backups/${id}/cancel`);
  };
  const later = await host.start({ root, container: "later", layout: "packs" });
  await host.ended(later);
  await service.getContainerClient("later").getBlockBlobClient("format.json").upload('{"version":2}', 13);
  await holdGet(CONTENT, `/backups/${later}/content?path=a`);
  await service.getContainerClient("backups").getBlobClient("a").delete();
  await holdGet(CONTENT, `/backups/${id}/content?path=a`);
  proxy.before = () => FORBIDDEN;
  await asks();
  await holdPost(RESTORE, { run: id, to: path.join(folder, "back") });
  await holdPost(VERIFY, { run: id });
  await holdGet("/backups");
  await holdGet("/stored", "/stored?container=backups");
  proxy.before = () => undefined;
  for await (const { name } of ledgers.listBlobsFlat({ prefix: "destinations/" }))
    await ledgers.getBlockBlobClient(name).upload("{", 1);
  for (const name of [`${id}/run.json`, "prunes/backups.json"])
    await ledgers.getBlockBlobClient(name).upload("{", 1);
  await asks();
}

it("real answers of every route, good and bad, are as it says, and it says no others", async () => {
  const root = await makeTree(path.join(folder, "tree"), { a: "1", "b/c": "23", "bad.": "" });
  const id = await holdGood(root);
  await holdRefused(id);
  await holdWhileAtWork(root);
  await holdWithoutStorage(root, id);
  const described = Object.values(document.paths).flatMap(({ parameters: _shared, ...methods }) =>
    Object.values(methods).flatMap(({ operationId, responses }) =>
      Object.keys(responses).map((status) => `${operationId} ${status}`),
    ),
  );
  // An error that nobody expected is none that a test can bring about.
  expect([...held].sort()).toEqual(described.filter((line) => !line.endsWith(" 500")).sort());
});

it("would not let a wrong answer pass", () => {
  const validate = ajv.compile({ $ref: "doc#/components/schemas/RunPage" });
  expect(validate({ runs: [{ id: 1 }] })).toBe(false);
  expect(validate({})).toBe(false);
});

it("is OpenAPI 3.1, and leads nowhere that is not there", () => {
  expect(document.openapi).toBe("3.1.0");
  const text = JSON.stringify(document);
  for (const [, kind = "", name = ""] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
    expect(document.components).toHaveProperty([kind, name]);
  }
});

it("describes every HTTP route of the app", () => {
  const routes = [...host.process.logs().matchAll(/\[([A-Z]+)\] http:\/\/localhost:\d+(\/\S+)/g)].map(
    ([, method = "", route = ""]) => `${method.toLowerCase()} ${route.replace("{*", "{")}`,
  );
  expect(routes.length).toBeGreaterThan(5);
  for (const route of routes) {
    const [method = "", template = ""] = route.split(" ");
    const known = Object.entries(document.paths).some(
      ([described, methods]) =>
        method in methods && (described === template || template === "/orchestrators/{orchestratorName}"),
    );
    expect(known, route).toBe(true);
  }
});
