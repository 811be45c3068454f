/** An Azurite of its own for a test file, in a folder that goes with it. */
import { rm } from "node:fs/promises";
import { Azurite } from "../../local/storage/azurite.ts";
import { freePort } from "./local-host.ts";
import { PUBLISHED_ACCOUNT } from "./published-account.ts";
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
  const azurite = await Azurite.start({ stateFolder, port, account: PUBLISHED_ACCOUNT });
  return {
    port,
    connectionString: azurite.connectionString,
    async stop() {
      await azurite.stop();
      // The ledgers and blobs of whatever used it.
      secretsOf(azurite.connectionString);
      expectNoSecretsIn(stateFolder, usedSecrets());
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}
