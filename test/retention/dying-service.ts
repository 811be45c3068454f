/** A client of storage whose process dies: after so many requests none leaves it any more. */
import { BlobServiceClient, newPipeline, StorageSharedKeyCredential } from "@azure/storage-blob";

/** Counts down with each request. One that is under way when the last has left is still done by storage. */
export class Life {
  left: number;
  /** Called before each request is sent. */
  before: (request: { method: string; url: string }) => Promise<void> | void = () => undefined;

  constructor(requests = Infinity) {
    this.left = requests;
  }
}

export function dyingService(connectionString: string, life: Life): BlobServiceClient {
  const setting = (name: string) => new RegExp(`${name}=([^;]+)`).exec(connectionString)?.[1] ?? "";
  const credential = new StorageSharedKeyCredential(setting("AccountName"), setting("AccountKey"));
  const pipeline = newPipeline(credential, { retryOptions: { maxTries: 1 } });
  pipeline.factories.push({
    create: (next) => ({
      async sendRequest(request) {
        await life.before(request);
        if (life.left-- <= 0) throw new Error("killed");
        return await next.sendRequest(request);
      },
    }),
  });
  return new BlobServiceClient(setting("BlobEndpoint"), pipeline);
}
