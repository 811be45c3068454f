import type { BlobServiceClient, BlockBlobClient } from "@azure/storage-blob";
import type { z } from "zod";
import { md5 } from "../model/content.ts";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { inContainer } from "../storage/connect.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { damagedAsMissing, readRecord } from "./damaged.ts";
import { MOST_OF_ONE, readBlob } from "./read-blob.ts";

/** A JSON blob in the ledger's container that several processes write, each only over what it has read. */
export class ConditionalBlob<Content> {
  readonly blob: BlockBlobClient;
  readonly #service: BlobServiceClient;
  readonly #schema: z.ZodType;

  constructor(service: BlobServiceClient, name: string, schema: z.ZodType) {
    this.blob = service.getContainerClient(LEDGER_CONTAINER).getBlockBlobClient(name);
    this.#service = service;
    this.#schema = schema;
  }

  /**
   * Undefined if there is none.
   * @param ifDamaged what counts as its content if that cannot be read
   * @throws DamagedRecord
   */
  async read(ifDamaged?: Content): Promise<{ content: Content; etag: string; leased: boolean } | undefined> {
    const read = await readBlob(this.blob, MOST_OF_ONE);
    if (!read) return undefined;
    const { text, etag, leased } = read;
    try {
      return { content: readRecord<Content>(text, this.#schema, this.blob.name), etag, leased };
    } catch (error) {
      if (ifDamaged === undefined) throw error;
      damagedAsMissing(error);
      return { content: ifDamaged, etag, leased };
    }
  }

  /**
   * @param over what was read; undefined if there was none
   * @param metadata what list calls return with it
   * @returns false if somebody else has written or removed it since
   */
  async write(
    content: Content,
    over: { etag: string } | undefined,
    metadata: Record<string, string> = {},
  ): Promise<boolean> {
    const body = JSON.stringify(content);
    const write = () =>
      withRetries((abortSignal) =>
        this.blob.upload(body, Buffer.byteLength(body), {
          abortSignal,
          metadata,
          conditions: over ? { ifMatch: over.etag } : { ifNoneMatch: "*" },
          transactionalContentMD5: md5(Buffer.from(body)),
          blobHTTPHeaders: { blobContentType: "application/json" },
        }),
      );
    try {
      await inContainer(this.#service.getContainerClient(LEDGER_CONTAINER), write);
      return true;
    } catch (error) {
      const failure = classify(error);
      if (failure === "conflict" || (failure === "missing" && over)) return false;
      throw error;
    }
  }
}
