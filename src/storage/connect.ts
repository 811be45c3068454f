import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type ContainerClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { LEDGER_CONTAINER } from "../model/names.ts";
import type { Settings, StorageConnection } from "../settings.ts";
import { classify, ContainerMissing } from "./errors.ts";
import { withRetries } from "./retries.ts";

/**
 * The service's retries are off: `withRetries` does them, for it also answers damaged content and says
 * how often the service throttled. The SDK's agents are off too, for nobody could close their idle sockets when
 * handles are short: it then uses Node's own, as direct requests do, which keep sockets open for five seconds.
 */
const PIPELINE: StoragePipelineOptions = {
  retryOptions: { maxTries: 1 },
  keepAliveOptions: { enable: false },
  userAgentOptions: { userAgentPrefix: "site-backup" },
};

/** Reaches the ledgers through a connection of their own, so that a SAS may be limited to one container each. */
class WithLedger extends BlobServiceClient {
  readonly #ledger: BlobServiceClient;

  constructor(backups: BlobServiceClient, ledger: BlobServiceClient) {
    super(backups.url, backups.credential, PIPELINE);
    this.#ledger = ledger;
  }

  override getContainerClient(name: string): ContainerClient {
    return name === LEDGER_CONTAINER ? this.#ledger.getContainerClient(name) : super.getContainerClient(name);
  }
}

/** The client for the storage of backups and ledgers. Makes no request. */
export function connectAll({
  destination,
  ledger,
}: Pick<Settings, "destination" | "ledger">): BlobServiceClient {
  const backups = connect(destination);
  return ledger ? new WithLedger(backups, connect(ledger)) : backups;
}

/** Whether two containers are in one account, judging by their addresses. */
export function inOneAccount(one: ContainerClient, other: ContainerClient): boolean {
  return accountOf(one) === accountOf(other);
}

function accountOf(container: ContainerClient): string {
  const { origin, pathname } = new URL(container.url);
  return origin + pathname.slice(0, pathname.lastIndexOf("/"));
}

/** The client for an account. Makes no request. */
export function connect(connection: StorageConnection): BlobServiceClient {
  if (connection.kind === "connectionString") {
    try {
      return BlobServiceClient.fromConnectionString(connection.value.reveal(), PIPELINE);
    } catch {
      // The SDK's own message may quote the string.
      throw new Error(
        `${connection.setting} is not a storage connection string. Expected "UseDevelopmentStorage=true" or ` +
          `"DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…" or "BlobEndpoint=…;SharedAccessSignature=…".`,
      );
    }
  }
  return new BlobServiceClient(connection.blobServiceUri, identity(connection.clientId), PIPELINE);
}

/** Loads its 300 modules with the first token: the app starts without them, and where there is a key it never needs them. */
function identity(managedIdentityClientId: string | undefined): TokenCredential {
  let credential: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      credential ??= import("@azure/identity").then(
        ({ DefaultAzureCredential }) =>
          new DefaultAzureCredential(managedIdentityClientId ? { managedIdentityClientId } : {}),
      );
      return await (await credential).getToken(scopes, options);
    },
  };
}

/** Creates a container unless it exists. @throws ContainerMissing if that is not permitted */
export async function createContainer(container: ContainerClient): Promise<void> {
  try {
    await withRetries((abortSignal) => container.createIfNotExists({ abortSignal }));
  } catch (error) {
    throw classify(error) === "refused" ? new ContainerMissing(container.containerName, error) : error;
  }
}

/** Writes to a container. If it is missing, creates it and writes again. */
export async function inContainer<T>(container: ContainerClient, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (classify(error) !== "missing") throw error;
  }
  await createContainer(container);
  return await write();
}
