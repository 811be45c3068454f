/** An Azurite of its own for a test file, in a folder that goes with it. */
import { rm } from "node:fs/promises";
import { emulatorConnectionString } from "../../local/storage/emulator-settings.ts";
import { Azurite } from "../../local/storage/azurite.ts";
import { freePort } from "./local-host.ts";
import { expectNoSecretsIn, secretsOf, usedSecrets } from "./secrets.ts";
import { makeFolder } from "./tree.ts";

export interface TestStorage {
  port: number;
  connectionString: string;
  stop(): Promise<void>;
}

export async function startAzurite(): Promise<TestStorage> {
  const stateFolder = await makeFolder("azurite");
  const port = await freePort();
  const azurite = await Azurite.start({ stateFolder, port });
  return {
    port,
    connectionString: emulatorConnectionString(port),
    async stop() {
      await azurite?.stop();
      // The ledgers and blobs of whatever used it.
      secretsOf(emulatorConnectionString(port));
      expectNoSecretsIn(stateFolder, usedSecrets());
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}
