import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { emulatorConnectionString } from "../../local/storage/emulator-settings.ts";
import { freePort } from "../harness/local-host.ts";

const MAIN = path.join(
  path.dirname(createRequire(import.meta.url).resolve("azurite/package.json")),
  "dist/src/blob/main.js",
);

/** An Azurite of the test's own, in memory. Ends with `stop`. */
export async function startAzurite(): Promise<{
  service: BlobServiceClient;
  connectionString: string;
  stop: () => Promise<void>;
}> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      MAIN,
      "--blobPort",
      String(port),
      "--inMemoryPersistence",
      "--silent",
      "--skipApiVersionCheck",
      "--disableTelemetry",
    ],
    { stdio: "ignore" },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const connectionString = emulatorConnectionString(port);
  const service = BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  for (let tries = 0; ; tries++) {
    try {
      await service.getProperties();
      break;
    } catch (error) {
      if (tries === 200 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    service,
    connectionString,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
