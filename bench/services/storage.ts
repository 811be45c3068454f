import { AccountSASPermissions, BlobServiceClient, ContainerClient } from "@azure/storage-blob";

/** The emulator's account and its key, which Microsoft's documentation publishes. */
export const ACCOUNT = "devstoreaccount1";
export const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** The container that every peer copies to. */
export const CONTAINER = "bench";

/** The storage that a peer copies to. */
export interface Storage {
  readonly port: number;
  stop(): Promise<void>;
}

export function connectionString(port: number): string {
  return (
    `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};` +
    `BlobEndpoint=http://127.0.0.1:${port}/${ACCOUNT};`
  );
}

/** The account's address with a signature instead of a key. */
export function signedUrl(port: number): string {
  const inADay = new Date(Date.now() + 24 * 3600 * 1000);
  return BlobServiceClient.fromConnectionString(connectionString(port)).generateAccountSasUrl(
    inADay,
    AccountSASPermissions.parse("rwdlacup"),
    "sco",
  );
}

export async function createContainer(port: number): Promise<ContainerClient> {
  const container = new ContainerClient(connectionString(port), CONTAINER);
  await container.createIfNotExists();
  return container;
}
