import { DefaultAzureCredential } from "@azure/identity";
import { BlobServiceClient, type StoragePipelineOptions } from "@azure/storage-blob";
import type { StorageConnection } from "../settings.ts";

/**
 * The service's retries are off: `withRetries` does them, for it also answers damaged content and says
 * how often the service throttled. Keep-alive sockets are the SDK's default.
 */
const PIPELINE: StoragePipelineOptions = {
  retryOptions: { maxTries: 1 },
  userAgentOptions: { userAgentPrefix: "site-backup" },
};

/** The client of the account that backups go to. Makes no request. */
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
  const credential = new DefaultAzureCredential(
    connection.clientId ? { managedIdentityClientId: connection.clientId } : {},
  );
  return new BlobServiceClient(connection.blobServiceUri, credential, PIPELINE);
}
