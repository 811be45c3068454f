/** What is served at /openapi.json describes what the routes really answer. */
import { rmSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, it } from "vitest";
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
  content: Record<string, { schema?: object }>;
}

let host: RecordsHost;
let folder: string;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  folder = await makeFolder("openapi");
  host = await RecordsHost.start();
  document = await host.get<Document>("/openapi.json");
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: { schemas: document.components.schemas } });
});
afterAll(async () => {
  await host.process.stop();
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
  const schema = reply?.content[type]?.schema ?? {};
  expect(Object.keys(reply?.content ?? {})).toContain(type);
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

it("real answers of every route, good and bad, are as it says", async () => {
  const root = await makeTree(path.join(folder, "tree"), { a: "1", "b/c": "23", "bad.": "" });
  const start = "/orchestrators/backupSiteContent";
  const started = await post(start, { root });
  hold(start, "post", started);
  const { id } = started.json() as { id: string };
  hold("/backups/{runId}", "get", await host.fetch(`/backups/${id}`));
  await host.ended(id);
  hold("/backups/{runId}", "get", await host.fetch(`/backups/${id}`));
  hold(start, "post", await post(start, { root: 1 }));
  hold(start, "post", await post(start, { root: folder }));
  hold("/backups", "get", await host.fetch("/backups"));
  hold("/backups", "get", await host.fetch("/backups?limit=x"));
  hold("/backups/{runId}", "get", await host.fetch("/backups/none"));
  const files = "/backups/{runId}/files";
  hold(files, "get", await host.fetch(`/backups/${id}/files?limit=2`));
  hold(files, "get", await host.fetch(`/backups/${id}/files?limit=x`));
  hold(files, "get", await host.fetch("/backups/none/files"));
  hold(
    files,
    "get",
    await host.fetch(`/backups/${id}/files`, { headers: { accept: "application/x-ndjson" } }),
  );
  const deleted = "/backups/{runId}/deleted";
  hold(deleted, "get", await host.fetch(`/backups/${id}/deleted`));
  hold(deleted, "get", await host.fetch(`/backups/${id}/deleted?outcome=failed`));
  const cancel = "/backups/{runId}/cancel";
  hold(cancel, "post", await post(`/backups/${id}/cancel`));
  hold(cancel, "post", await post("/backups/none/cancel"));
  hold(cancel, "post", await post(`/backups/${await host.start({ root, container: "other" })}/cancel`));
  const restore = await post("/orchestrators/restoreSiteContent", { run: id, to: path.join(folder, "back") });
  hold("/orchestrators/restoreSiteContent", "post", restore);
  hold(
    "/orchestrators/restoreSiteContent",
    "post",
    await post("/orchestrators/restoreSiteContent", { run: "none", to: folder }),
  );
  hold("/orchestrators/verifyBackup", "post", await post("/orchestrators/verifyBackup", { run: id }));
  const prune = "/orchestrators/pruneBackups";
  hold(prune, "post", await post(prune, {}));
  const pruned = await post(prune, { keepLast: 1 });
  hold(prune, "post", pruned);
  const { id: pruning } = pruned.json() as { id: string };
  await host.ended(pruning);
  hold("/backups/{runId}", "get", await host.fetch(`/backups/${pruning}`));
  hold(files, "get", await host.fetch(`/backups/${pruning}/files`));
  hold("/openapi.json", "get", await host.fetch("/openapi.json"));
  const page = await host.fetch("/dashboard");
  hold("/dashboard", "get", page);
  const [, script = ""] = /src="(.*?)"/.exec(page.text) ?? [];
  hold("/dashboard/{version}/{file}", "get", await host.fetch(`/${script}`));
  hold("/dashboard/{version}/{file}", "get", await host.fetch("/dashboard/0/none.js"));

  const operations = Object.values(document.paths).flatMap(({ parameters: _shared, ...methods }) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  const answered = [...held].map((line) => line.slice(0, line.indexOf(" ")));
  expect(new Set(answered)).toEqual(new Set(operations));
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
