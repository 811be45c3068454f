/**
 * The one Azurite of a test run, in memory: vitest's global setup starts it, and each test file takes accounts of its own
 * (azurite.ts). Tests that end their storage, or fill it with gigabytes, start another.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { TestProject } from "vitest/node";
import { WITHOUT_TELEMETRY } from "../../local/storage/azurite.ts";
import { freePort } from "./local-host.ts";

/** Where the run's Azurite listens, and the key that all its accounts have. */
export interface OneAzurite {
  port: number;
  /** Base64. */
  key: string;
}

declare module "vitest" {
  interface ProvidedContext {
    azurite: OneAzurite;
  }
}

const PACKAGE = createRequire(import.meta.url).resolve("azurite/package.json");
const SOURCES = path.join(path.dirname(PACKAGE), "dist/src");
const DATABASE = createRequire(PACKAGE).resolve("lokijs");

/**
 * Every account name exists. Idle connections stay open: on a busy machine a request may meet the end of one. Nothing is
 * swept: every ten minutes Azurite looks for content that nobody needs, and with many blobs it then leaves requests unanswered
 * for longer than the app waits. The database looks by the first field of a query first: that is the name of a blob, else the
 * account, which have an index; and a removal does not sort the indexes of all blobs anew. And the templates of all its routes
 * are not parsed again for each request.
 */
const CHANGES = `
  import accounts from ${JSON.stringify(pathToFileURL(path.join(SOURCES, "common/AccountDataStore.js")))};
  import sweeper from ${JSON.stringify(pathToFileURL(path.join(SOURCES, "blob/gc/BlobGCManager.js")))};
  import environment from ${JSON.stringify(pathToFileURL(path.join(SOURCES, "blob/BlobEnvironment.js")))};
  import routes from ${JSON.stringify(pathToFileURL(path.join(SOURCES, "blob/generated/utils/utils.js")))};
  import database from ${JSON.stringify(pathToFileURL(DATABASE))};
  const key1 = Buffer.from(process.env.TEST_ACCOUNT_KEY, "base64");
  accounts.default.prototype.getAccount = (name) => ({ name, key1 });
  environment.default.prototype.blobKeepAliveTimeout = () => 3600;
  sweeper.default.prototype.markSweep = async () => {};
  const { find } = database.Resultset.prototype;
  database.Resultset.prototype.find = function (query, first) {
    const field = ["blobName", "name", "accountName"].find((each) => typeof query?.[each] === "string");
    return find.call(this, field ? { [field]: query[field], ...query } : query, first);
  };
  database.Collection.prototype.findAndRemove = function (query) {
    for (const found of this.find(query)) this.remove(found);
  };
  const { isURITemplateMatch } = routes;
  const known = {};
  routes.isURITemplateMatch = (url, template) => (known[url + " " + template] ??= isURITemplateMatch(url, template));`;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { port, key, stop } = await startOneAzurite();
  project.provide("azurite", { port, key });
  return stop;
}

async function startOneAzurite(): Promise<OneAzurite & { stop: () => Promise<void> }> {
  const port = await freePort();
  const key = randomBytes(64).toString("base64");
  const flags = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"];
  const child = spawn(
    process.execPath,
    [
      // It keeps what it is sent: with the usual room it moves that again and again.
      "--max-semi-space-size=64",
      `--import=${WITHOUT_TELEMETRY}`,
      `--import=data:text/javascript,${encodeURIComponent(CHANGES)}`,
      path.join(SOURCES, "blob/main.js"),
      "--blobHost",
      "127.0.0.1",
      "--blobPort",
      String(port),
      ...flags,
    ],
    { stdio: "ignore", env: { ...process.env, TEST_ACCOUNT_KEY: key } },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  process.once("exit", () => child.kill("SIGKILL"));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`Azurite ended with exit code ${child.exitCode}.`);
    await sleep(50);
  }
  return {
    port,
    key,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
