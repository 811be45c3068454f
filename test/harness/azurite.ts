/** Accounts of the run's one Azurite (one-azurite.ts): each is as good as alone in the world. */
import { randomBytes } from "node:crypto";
import { BlobServiceClient } from "@azure/storage-blob";
import { inject } from "vitest";
import { connectionString, type StorageAccount } from "../../local/storage/own-account.ts";
import { contentOf } from "./blobs.ts";
import { expectNoSecrets, secretsOf, usedSecrets } from "./secrets.ts";

export interface TestStorage {
  port: number;
  account: StorageAccount;
  connectionString: string;
  /** Does not try again, so that a test sees each refusal. */
  service: BlobServiceClient;
  /** Ends the use of the account. @throws Error when a secret is in a ledger, a name or metadata */
  stop(): Promise<void>;
}

/** An empty account for whoever asks. */
export function takeAccount(): TestStorage {
  const { port, key } = inject("azurite");
  const account = { name: `test${randomBytes(8).toString("hex")}`, key };
  const address = connectionString(account, port);
  secretsOf(address);
  const service = BlobServiceClient.fromConnectionString(address, { retryOptions: { maxTries: 1 } });
  return { port, account, connectionString: address, service, stop: () => expectNoSecretsInAccount(service) };
}

/** Looks through all ledgers, and the names and metadata of all blobs. */
async function expectNoSecretsInAccount(service: BlobServiceClient): Promise<void> {
  const secrets = usedSecrets();
  for await (const { name: container } of service.listContainers()) {
    const client = service.getContainerClient(container);
    const options = { includeMetadata: true, includeSnapshots: true };
    for await (const item of client.listBlobsFlat(options)) {
      const { name, snapshot, metadata } = item;
      const where = `${container}/${name}`;
      expectNoSecrets(where, JSON.stringify([name, metadata]), secrets);
      if (container !== "backup-runs" || snapshot !== undefined) continue;
      expectNoSecrets(where, (await contentOf(client, item)).toString("latin1"), secrets);
    }
  }
}
