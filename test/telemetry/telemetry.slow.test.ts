import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  type StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, type RunStatus } from "../harness/run.ts";
import { isWrite, startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { startCollector, type Collector, type Span } from "./collector.ts";

/** A storage call that takes this long has a span. */
const SLOW_MS = 1_000;

/** The trace of the one who asks for the backup. */
const CALLER = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;

let azurite: TestStorage;
let proxy: StorageProxy;
let collector: Collector;
let host: LocalHostProcess | undefined;
let folder: string;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
});
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
});
afterEach(async () => {
  await host?.stop();
  host = undefined;
  await collector.stop();
  await rm(folder, { recursive: true, force: true });
  proxy.before = () => undefined;
});

/** The account by a SAS: every address that the app asks for carries its signature. */
function sasConnection(): string {
  const service = BlobServiceClient.fromConnectionString(proxy.connectionString);
  const sas = generateAccountSASQueryParameters(
    {
      expiresOn: new Date(Date.now() + 3_600_000),
      permissions: AccountSASPermissions.parse("rwdlacup"),
      resourceTypes: AccountSASResourceTypes.parse("sco").toString(),
      services: AccountSASServices.parse("b").toString(),
    },
    service.credential as StorageSharedKeyCredential,
  );
  secrets.push(sas.signature, encodeURIComponent(sas.signature));
  return `BlobEndpoint=${service.url.replace(/\/$/, "")};SharedAccessSignature=${sas.toString()}`;
}
const secrets: string[] = [];

async function startTraced(env: Record<string, string> = {}): Promise<LocalHostProcess> {
  collector = await startCollector();
  folder = await makeFolder("traced");
  host = await startLocalHost({
    connectionString: proxy.connectionString,
    env: {
      BackupStorage: sasConnection(),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: "100",
      ...env,
    },
  });
  return host;
}

async function backUp(url: string, body: unknown): Promise<{ id: string; location: string }> {
  const response = await fetch(`${url}/orchestrators/backupSiteContent?code=the-function-key`, {
    method: "POST",
    headers: { "Content-Type": "application/json", traceparent: TRACEPARENT },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  return { id, location: response.headers.get("location") ?? "" };
}

describe("with an OTLP endpoint", () => {
  let spans: Span[];
  let run: RunStatus;
  const named = (name: string) => spans.filter((span) => span.name === name);
  const parentOf = ({ parentSpanId }: Span) => spans.find(({ spanId }) => spanId === parentSpanId);

  /** Ends the host, which sends what is left, and reads everything. */
  async function finish(location: string): Promise<void> {
    run = await followRun(location);
    await host?.stop();
    spans = collector.spans();
  }

  it("sends one trace of a backup, its sums and its log, and no secret", async () => {
    // Two worker processes; a directory for each orchestration, so that there is a tree of them.
    const { url } = await startTraced({ FUNCTIONS_WORKER_PROCESS_COUNT: "2", BACKUP_LIST_FILES: "4" });
    const files = Object.fromEntries(["a", "b", "c"].map((at) => [`${at}/1`, at]));
    await makeTree(folder, { ...files, "a/2": "22", "b/2": "22", "c/2": "22", "c/cannot.": "x" });
    let refused = 0;
    proxy.before = (request) => {
      const first = isWrite(request) && request.container === "traced" && refused++ === 0;
      return first ? { status: 503, code: "ServerBusy" } : undefined;
    };
    const { id, location } = await backUp(url, { root: folder, container: "traced" });
    await finish(location);
    expect(run.runtimeStatus).toBe("Failed");

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([CALLER.traceId]));
    const [starter] = named("httpStart");
    expect(starter?.parentSpanId).toBe(CALLER.spanId);
    const orchestrations = named("orchestration:backupSiteContent");
    const [root, ...parts] = orchestrations.sort((a, b) => idOf(a).length - idOf(b).length);
    expect(idOf(root!)).toBe(id);
    expect(root!.parentSpanId).toBe(starter!.spanId);
    expect(root!.status.code).toBe(2);
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect(parentOf(part)?.name).toBe("orchestration:backupSiteContent");
    for (const name of ["getFileList", "copyFileToBlob"]) {
      expect(named(name).length).toBeGreaterThan(1);
      for (const activity of named(name)) {
        expect(idOf(parentOf(activity)!)).toBe(idOf(activity));
        expect(parentOf(activity)?.name).toBe("orchestration:backupSiteContent");
      }
    }
    expect(named("endRun").map(parentOf)).toEqual([root]);
    const [upload, ...more] = named("BlockBlobClient-upload").filter(({ status }) => status.code === 2);
    expect(more).toEqual([]);
    expect(upload?.attributes).toMatchObject({
      "http.response.status_code": 503,
      "error.type": "ServerBusy",
      "url.full": expect.stringMatching(/\/traced\/[abc]\/[12]$/),
    });
    expect(parentOf(upload!)?.name).toBe("copyFileToBlob");
    // Activities ran in the two children, the starter in the host.
    expect(new Set(named("copyFileToBlob").map(({ instance }) => instance))).not.toContain(starter?.instance);

    const total = (name: string, outcome?: string) =>
      collector
        .counters()
        .filter((point) => point.name === name && point.attributes["outcome"] === outcome)
        .reduce((sum, { value }) => sum + value, 0);
    expect(total("site_backup.files", "copied")).toBe(6);
    expect(total("site_backup.files", "failed")).toBe(1);
    expect(total("site_backup.bytes", "copied")).toBe(9);
    expect(total("site_backup.storage.retries")).toBe(1);
    expect(total("site_backup.storage.throttled")).toBe(1);

    const logs = collector.logs();
    expect(logs).toContainEqual({
      body: expect.stringMatching(`^event=file.failed run=${id} failure="c/cannot\\.: .*"$`),
      severity: "warning",
      traceId: CALLER.traceId,
    });
    const told = logs
      .filter(({ body }) => body.includes(` run=${id} `))
      .map(({ body }) => body.split(" ", 1)[0]);
    const once = (event: string) => told.filter((each) => each === `event=${event}`).length;
    expect([once("run.started"), once("run.ended")]).toEqual([1, 1]);
    expect(once("batch.copied")).toBe(named("copyFileToBlob").length);
    const severityOf = (event: string) =>
      new Set(logs.filter(({ body }) => body.startsWith(`event=${event} `)).map(({ severity }) => severity));
    expect(severityOf("batch.copied")).toEqual(new Set(["information"]));
    // A line a batch, not a line a file: what was copied is named nowhere.
    expect(logs.filter(({ body }) => body.includes("a/1"))).toEqual([]);
    expect(once("part.listed")).toBe(named("getFileList").length);

    const everything = collector.text();
    for (const secret of [...secrets, "sig=", "code=", "AccountKey", "the-function-key", "Eby8vdM02xNO"]) {
      expect(everything).not.toContain(secret);
    }
  });

  it("continues with the trace when the host was killed; of many calls tells those that fail or are slow", async () => {
    const { url } = await startTraced({ BACKUP_LIST_FILES: "230" });
    // Where far more is already, a listing asks what there is for each directory.
    await makeTree(folder, Object.fromEntries(Array.from({ length: 110 }, (_none, at) => [`${at}/a`, "1"])));
    const container = BlobServiceClient.fromConnectionString(azurite.connectionString);
    const resumed = container.getContainerClient("resumed");
    await resumed.create();
    const others = Array.from({ length: 470 }, (_none, at) => resumed.getBlockBlobClient(`other/${at}`));
    await Promise.all(others.map((other) => other.upload("1", 1)));
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let lists = 0;
    proxy.before = async (request) => {
      if (request.container !== "resumed") return undefined;
      if (isWrite(request)) await held;
      if (request.comp !== "list") return undefined;
      lists++;
      if (lists === 107) await sleep(SLOW_MS + 200);
      return lists === 108 ? { status: 503, code: "ServerBusy" } : undefined;
    };
    const { location } = await backUp(url, { root: folder, container: "resumed" });
    const listing = await collector.span("getFileList");
    await host?.kill();
    release();
    host = await host?.restart();
    await finish(location.replace(/:\/\/[^/]+/, `://${new URL(host!.url).host}`));
    expect(run.runtimeStatus).toBe("Completed");

    const [root] = named("orchestration:backupSiteContent");
    expect(root?.traceId).toBe(CALLER.traceId);
    expect(root?.parentSpanId).toBe(named("httpStart")[0]?.spanId);
    expect(root?.spanId).toBe(listing.parentSpanId);
    expect(new Set(named("copyFileToBlob").map(parentOf))).toEqual(new Set([root]));

    const calls = spans.filter(({ parentSpanId }) => parentSpanId === listing.spanId);
    const failed = calls.filter(({ status }) => status.code === 2);
    expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual(["ServerBusy"]);
    const slow = calls.filter(({ status }) => status.code !== 2);
    expect(slow.map(({ attributes }) => attributes["url.full"])).toContainEqual(
      expect.stringMatching(/\/resumed$/),
    );
    for (const { startTimeUnixNano, endTimeUnixNano } of slow)
      expect(Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6).toBeGreaterThan(
        SLOW_MS - 100,
      );
  });
});

describe("without an endpoint", () => {
  const ROOT = path.resolve(import.meta.dirname, "../..");
  const SERVICES = path.join(ROOT, "src/services.ts");
  const script = `await import(${JSON.stringify(SERVICES)});
    const { createRequire } = await import("node:module");
    const loaded = Object.keys(createRequire(${JSON.stringify(SERVICES)}).cache);
    console.log(loaded.filter((file) => /@opentelemetry.sdk|otlp/.test(file)).length);`;
  const loaded = (env: NodeJS.ProcessEnv) => {
    const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, AzureWebJobsStorage: "UseDevelopmentStorage=true", ...env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(printed.trim().split("\n").at(-1));
  };

  it("loads nothing of the OpenTelemetry SDK", async () => {
    collector = await startCollector();
    folder = await makeFolder("none");
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined })).toBe(0);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: "true" })).toBe(0);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).toBeGreaterThan(20);
  });
});

function idOf({ attributes }: Span): string {
  return String(attributes["durabletask.task.instance_id"]);
}
