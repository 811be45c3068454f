import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { freePort } from "../harness/local-host.ts";
import { publishedAccountOn } from "../harness/published-account.ts";

const BLOB = path.join(
  path.dirname(createRequire(import.meta.url).resolve("azurite/package.json")),
  "dist/src/blob",
);
/**
 * Every ten minutes Azurite looks for content that nobody needs. Just then, with 200,000 blobs, it left requests without an
 * answer for longer than the app waits; in memory nothing is gained by it.
 */
const NO_SWEEP = `import manager from ${JSON.stringify(pathToFileURL(path.join(BLOB, "gc/BlobGCManager.js")))};
  manager.default.prototype.markSweep = async () => {};`;

/** A storage account, as good as alone in the world. */
export interface Account {
  service: BlobServiceClient;
  connectionString: string;
}

/** An Azurite of the test's own, in memory. Ends with `stop`. */
export async function startAzurite(): Promise<Account & { port: number; stop: () => Promise<void> }> {
  const { accounts, port, stop } = await startAccounts(1);
  return { ...accounts[0]!, port, stop };
}

/** The same with several accounts: cheaper than several of it. */
export async function startAccounts(
  count: number,
): Promise<{ accounts: Account[]; port: number; stop: () => Promise<void> }> {
  const port = await freePort();
  const known = publishedAccountOn(port);
  const key = /AccountKey=([^;]+)/.exec(known)?.[1];
  const names = Array.from({ length: count }, (_none, index) => `devstoreaccount${index + 1}`);
  const child = spawn(
    process.execPath,
    [
      `--import=data:text/javascript,${encodeURIComponent(NO_SWEEP)}`,
      path.join(BLOB, "main.js"),
      "--blobPort",
      String(port),
      "--inMemoryPersistence",
      "--silent",
      "--skipApiVersionCheck",
      "--disableTelemetry",
    ],
    {
      stdio: "ignore",
      env: { ...process.env, AZURITE_ACCOUNTS: names.map((name) => `${name}:${key}`).join(";") },
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const accounts = names.map((name) => {
    const connectionString = known.replaceAll("devstoreaccount1", name);
    const options = { retryOptions: { maxTries: 1 } };
    return {
      connectionString,
      service: BlobServiceClient.fromConnectionString(connectionString, options),
    };
  });
  for (let tries = 0; ; tries++) {
    try {
      await accounts[0]?.service.getProperties();
      break;
    } catch (error) {
      if (tries === 200 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    accounts,
    port,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
