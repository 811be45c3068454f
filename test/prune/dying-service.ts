/** A client of storage whose process dies: after so many requests none leaves it any more. */
import { BlobServiceClient, newPipeline, StorageSharedKeyCredential } from "@azure/storage-blob";
import { expect } from "vitest";
import type { Settings } from "../../src/settings.ts";
import { Drive } from "../harness/drive.ts";

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

/**
 * A drive whose process dies with its life. It makes all its requests by the SDK, as behind a proxy: what goes past the
 * SDK, a small file's upload or fetch and a listing, would go past its life.
 */
export function mortalDrive(connectionString: string, life: Life, settings: Partial<Settings> = {}): Drive {
  return new Drive(dyingService(connectionString, life), { ...settings, behindProxy: true });
}

/** Kills what is done when it writes such a record, after it has written that many others like it. */
export async function expectKilledAt(
  record: string,
  after: number,
  { connectionString }: { connectionString: string },
  work: (by: Drive) => Promise<unknown>,
): Promise<void> {
  const life = new Life();
  let written = 0;
  life.before = ({ method, url }) => {
    if (method === "PUT" && url.includes(record) && written++ === after) life.left = 0;
  };
  await expect(work(mortalDrive(connectionString, life))).rejects.toThrow("killed");
}
