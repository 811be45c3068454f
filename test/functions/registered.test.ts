/** The app's functions as the host sees them: what it is called by, and what may call it. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { AppRegistry } from "../../local/app/core-api.ts";
import { loadApp } from "../../local/app/load-app.ts";
import { triggerOf } from "../../local/app/registered-function.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What anybody may read: it says nothing of this app's backups. */
const PUBLIC = new Set(["dashboard", "dashboardFile", "openapi"]);

let app: AppRegistry;
beforeAll(async () => {
  process.env["BackupStorage"] = "UseDevelopmentStorage=true";
  app = await loadApp(ROOT, () => undefined);
});

/** One line a function: its name, its trigger, and for HTTP the methods, the route and who may call it. */
function registered(): string[] {
  return [...app.functions.values()]
    .map(({ metadata }) => {
      const { binding } = triggerOf(metadata);
      const methods = binding["methods"] as string[] | undefined;
      const http = methods
        ? ` ${methods.join(",")} /${String(binding["route"])} ${String(binding["authLevel"])}`
        : "";
      return `${metadata.name}: ${binding.type}${http}`;
    })
    .sort();
}

describe("the registered functions", () => {
  it("are these, with these triggers, routes and levels of authorization", () => {
    expect(registered()).toEqual([
      "backupSiteContent: orchestrationTrigger",
      "cancelBackup: httpTrigger POST /backups/{runId}/cancel function",
      "copyFileToBlob: activityTrigger",
      "copyLargeFile: activityTrigger",
      "copyLargeFiles: orchestrationTrigger",
      "dashboard: httpTrigger GET /dashboard anonymous",
      "dashboardFile: httpTrigger GET /dashboard/{version}/{*file} anonymous",
      "decidePrune: activityTrigger",
      "deleteContents: activityTrigger",
      "deleteExtra: activityTrigger",
      "deleteLedgers: activityTrigger",
      "deletePieces: activityTrigger",
      "endRun: activityTrigger",
      "failBatch: activityTrigger",
      "failLargeFile: activityTrigger",
      "failLargeRestore: activityTrigger",
      "gatherNeeds: activityTrigger",
      "getBackup: httpTrigger GET /backups/{runId} function",
      "getBackupContent: httpTrigger GET /backups/{runId}/content function",
      "getFileList: activityTrigger",
      "httpStart: httpTrigger POST /orchestrators/{orchestratorName} function",
      "listBackupFiles: httpTrigger GET /backups/{runId}/files function",
      "listBackupTree: httpTrigger GET /backups/{runId}/tree function",
      "listBackups: httpTrigger GET /backups function",
      "listContents: activityTrigger",
      "listDeletedFiles: httpTrigger GET /backups/{runId}/deleted function",
      "measureStored: httpTrigger GET /stored function",
      "openapi: httpTrigger GET /openapi.json anonymous",
      "planRestore: activityTrigger",
      "planVerify: activityTrigger",
      "previewExtra: activityTrigger",
      "previewFiles: activityTrigger",
      "previewRestore: activityTrigger",
      "pruneBackups: orchestrationTrigger",
      "restoreDirectories: activityTrigger",
      "restoreFiles: activityTrigger",
      "restoreLargeFile: activityTrigger",
      "restoreLargeFiles: orchestrationTrigger",
      "restoreSiteContent: orchestrationTrigger",
      "verifyBackup: orchestrationTrigger",
      "verifyFiles: activityTrigger",
      "verifyLargeFile: activityTrigger",
      "verifyLargeFiles: orchestrationTrigger",
    ]);
  });

  it("let nobody in without a key but to what is public, and no orchestrator or activity is called by HTTP", () => {
    for (const { metadata } of app.functions.values()) {
      const { binding } = triggerOf(metadata);
      const isHttp = binding.type === "httpTrigger";
      const level = PUBLIC.has(metadata.name) ? "anonymous" : "function";
      expect(binding["authLevel"], metadata.name).toBe(isHttp ? level : undefined);
      expect("route" in binding, metadata.name).toBe(isHttp);
    }
  });

  it("the starter has a durable client, and its routes have no prefix", () => {
    const bindings = Object.values(app.functions.get("httpStart")?.metadata.bindings ?? {});
    expect(bindings.map(({ type }) => type).sort()).toEqual(["durableClient", "http", "httpTrigger"]);
    const host = JSON.parse(readFileSync(path.join(ROOT, "host.json"), "utf8")) as {
      extensions: { http: { routePrefix: string } };
    };
    expect(host.extensions.http.routePrefix).toBe("");
  });

  it("host.json leaves the host's own log filter, and has the locks of a dead host run out within a minute", () => {
    const { logging, extensions } = JSON.parse(readFileSync(path.join(ROOT, "host.json"), "utf8")) as {
      logging: { logLevel: object };
      extensions: { durableTask: { storageProvider: object } };
    };
    expect(logging.logLevel).not.toHaveProperty("default");
    expect(extensions.durableTask.storageProvider).toMatchObject({
      controlQueueVisibilityTimeout: "00:01:00",
      workItemQueueVisibilityTimeout: "00:01:00",
    });
  });
});

describe('"main" in package.json', () => {
  it("matches the compiled files of src/functions, all of them and no others", () => {
    const { main } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { main: string };
    const built = globSync(main, { cwd: ROOT }).map((file) => path.basename(file, ".js"));
    const sources = globSync("src/functions/*.ts", { cwd: ROOT }).map((file) => path.basename(file, ".ts"));
    expect(sources.length).toBeGreaterThan(5);
    expect(built.sort()).toEqual(sources.sort());
  });

  it("an orchestrator is in the file of its name; those of large files are in one", () => {
    const named = [...app.functions.values()]
      .map(({ metadata }) => metadata)
      .filter((it) => triggerOf(it).binding.type === "orchestrationTrigger");
    expect(named.map(({ scriptFile }) => scriptFile)).toEqual(
      named.map(({ name }) => (name.endsWith("LargeFiles") ? "largeFiles.js" : `${name}.js`)),
    );
  });
});
